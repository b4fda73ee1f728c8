-- How late the departures of each carrier leave in a month.
select
    month,
    origin,
    carrier,
    {{ delay_statistics() }}
from {{ ref('departures') }}
group by all
order by all
