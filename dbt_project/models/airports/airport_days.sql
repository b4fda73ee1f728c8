-- The time series of each airport: one row for each local day, over all months there are.
select
    origin,
    date,
    {{ delay_statistics() }}
from {{ ref('departures') }}
group by all
order by origin, date
