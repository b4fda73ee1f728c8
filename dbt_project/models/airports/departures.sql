-- Each scheduled departure, with what airport operations count by.
select
    month,
    cast(month || '-' || lpad(cast(day as varchar), 2, '0') as date) as date,
    origin,
    dest,
    carrier,
    hour as scheduled_hour,
    dep_time is null as cancelled,
    dep_delay as delay,
    dep_delay >= 15 as late
from {{ source('flights', 'scheduled_flights') }}
