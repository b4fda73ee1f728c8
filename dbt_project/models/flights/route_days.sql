-- How each route did on each day.
select
    origin,
    dest,
    flight_date,
    month,
    count(*) as departures,
    count(arr_delay) as arrivals,
    avg(cast(late as double)) as late_share,
    avg(arr_delay) as mean_arr_delay,
    avg(cast(cancelled as double)) as cancelled_share
from {{ ref('flights_clean') }}
group by all
order by flight_date, origin, dest
