{#- Whether a row belongs to a partition that is asked for: `where {{ in_partitions('month') }}`. Without partitions, as on the
    command line, all do. The SQL is the same for all of them, and so is the version of the code. -#}
{% macro in_partitions(column) -%}
  ({{ column }} in (select key from headrace.partitions) or not exists (from headrace.partitions))
{%- endmacro %}

{#- When the namespace's newest version of a source was written: `loaded_at_query: "{{ '{{' }} written_at() {{ '}}' }}"`. -#}
{% macro written_at() -%}
  select max(written_at) from headrace.written where relation = '{{ this }}'
{%- endmacro %}
