{#- `dbt show` runs no hooks: what the query reads is shown when it is about to be asked. -#}
{% macro get_show_sql(compiled_code, sql_header, limit) %}
  {%- do headrace_show(model.depends_on.nodes) -%}
  {{ return(dbt.get_show_sql(compiled_code, sql_header, limit)) }}
{% endmacro %}

{#- `dbt docs generate` describes what the namespace shows; of what was never computed there is nothing to say. -#}
{% macro headrace_show_all() %}
  {%- do run_query('select 1') -%}  {#- with --no-compile nothing has opened the database yet -#}
  {%- do headrace_show(graph.nodes.keys() | list + graph.sources.keys() | list, optional=true) -%}
{% endmacro %}

{% macro duckdb__get_catalog(information_schema, schemas) %}
  {%- do headrace_show_all() -%}
  {{ return(dbt.duckdb__get_catalog(information_schema, schemas)) }}
{% endmacro %}

{% macro duckdb__get_catalog_relations(information_schema, relations) %}
  {%- do headrace_show_all() -%}
  {{ return(dbt.duckdb__get_catalog_relations(information_schema, relations)) }}
{% endmacro %}
