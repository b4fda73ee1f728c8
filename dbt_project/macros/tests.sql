{% test one_row_for_each(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_of_one from {{ model }} group by all having count(*) > 1
{% endtest %}

{#- A time series without gaps, between its first and its last day. -#}
{% test every_day_is_there(model, by, day) %}
select {{ by }}, count(*) as days, date_diff('day', min({{ day }}), max({{ day }})) + 1 as expected
from {{ model }} group by {{ by }} having days <> expected
{% endtest %}
