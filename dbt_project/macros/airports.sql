{#- What airport operations count, whatever they count it by. What never left is neither late nor on time. -#}
{% macro delay_statistics() -%}
    count(*) as departures,
    count_if(cancelled)::bigint as cancelled,
    avg(delay) as mean_delay,
    quantile_cont(delay, 0.9) as delay_of_the_late_tenth,
    avg(late::int) as late_share
{%- endmacro %}
