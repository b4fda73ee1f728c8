-- How late the departures of each route leave in a month.
select
    month,
    origin,
    dest,
    {{ delay_statistics() }}
from {{ ref('departures') }}
group by all
order by all
