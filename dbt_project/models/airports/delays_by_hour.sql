-- How delays build up over the hours of the day.
select
    month,
    origin,
    scheduled_hour,
    {{ delay_statistics() }}
from {{ ref('departures') }}
group by all
order by all
