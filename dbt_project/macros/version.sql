{#- The rows of a model become a version of its asset, visible once its tests passed. The database is thrown away, so it is
    all one whether a model calls itself a view, a table or a version. -#}
{% macro headrace_version() %}
  {%- set target = this.incorporate(type='view') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% call statement('main') -%}
    {{ config.get('sql_header') or '' }}
    {%- if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif -%}
    create or replace view {{ target }} as ({{ compiled_code }}
    )
  {%- endcall %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do adapter.commit() %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return(headrace_stage({'relations': [target]})) }}
{% endmacro %}

{#- Takes into the store what dbt has made in its own way. -#}
{% macro headrace_stage(made) %}
  {% do adapter.store_relation('headrace', made.relations[0], [], tojson(headrace_reads(model.depends_on.nodes)), 'stage', config) %}
  {{ return(made) }}
{% endmacro %}

{% materialization version, adapter='duckdb', supported_languages=['sql'] %}
  {{ return(headrace_version()) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb', supported_languages=['sql'] %}
  {{ return(headrace_version()) }}
{% endmaterialization %}

{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
  {{ return(headrace_version()) }}
{% endmaterialization %}

{#- These go on from the version before, which `headrace_resolve` has put in their place. -#}
{% materialization incremental, adapter='duckdb', supported_languages=['sql'] %}
  {{ return(headrace_stage(dbt.materialization_incremental_duckdb())) }}
{% endmaterialization %}

{% materialization snapshot, adapter='duckdb', supported_languages=['sql'] %}
  {{ return(headrace_stage(dbt.materialization_snapshot_default())) }}
{% endmaterialization %}

{% materialization seed, adapter='duckdb' %}
  {{ return(headrace_stage(dbt.materialization_seed_default())) }}
{% endmaterialization %}
