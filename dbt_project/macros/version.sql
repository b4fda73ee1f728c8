{#- The materialization `version`: the rows of a model become a version of its asset, visible once its tests passed. -#}
{% materialization version, adapter='duckdb', supported_languages=['sql'] %}
  {%- set target = this.incorporate(type='view') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {% call statement('main') -%}
    create or replace view {{ target }} as ({{ compiled_code }}
    )
  {%- endcall %}
  {% do adapter.commit() %}
  {% do adapter.store_relation('headrace', target, [], '', 'stage', config) %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
