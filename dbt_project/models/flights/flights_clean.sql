-- One row for each scheduled departure, under one id, in UTC, with the outcome that is to be predicted.
with dated as (
    select
        *,
        make_date(year, cast(split_part(month, '-', 2) as bigint), day) as flight_date,
        time_hour + to_minutes(minute) as scheduled_departure
    from {{ source('flights', 'scheduled_flights') }}
)

select
    concat_ws('-', flight_date, carrier, flight, origin, lpad(cast(sched_dep_time as varchar), 4, '0')) as flight_id,
    month,
    flight_date,
    scheduled_departure,
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    distance,
    hour as scheduled_hour,
    minute as scheduled_minute,
    dep_time is null as cancelled,
    arr_delay,
    arr_delay > 15 as late
from dated
order by scheduled_departure, flight_id
