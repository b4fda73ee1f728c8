{#- Before the models: whatever the selected nodes read and this invocation does not build is shown from the store. -#}
{% macro headrace_resolve() %}
  {%- if execute -%}
    {%- set upstream = [] -%}
    {%- for unique_id in selected_resources -%}
      {%- set node = graph.nodes.get(unique_id) -%}
      {%- for name in (node.depends_on.nodes if node else []) -%}
        {%- if name not in selected_resources and name not in upstream -%}{%- do upstream.append(name) -%}{%- endif -%}
      {%- endfor -%}
    {%- endfor -%}
    {%- for unique_id in upstream -%}
      {%- set node = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
      {%- set location = node.source_name if node.resource_type == 'source' else node.fqn[1] -%}
      {%- set relation = api.Relation.create(database=node.database, schema=node.schema, identifier=node.get('identifier') or node.get('alias') or node.name) -%}
      {%- do adapter.store_relation('headrace', relation, [], '', 'resolve', {'unique_id': unique_id, 'asset': location ~ '/' ~ node.name}) -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}

{#- After the tests: commits every staged model, except the failed ones and those that a test of severity error refused. -#}
{% macro headrace_publish(results) %}
  {%- if execute -%}
    {%- set failed = [] -%}
    {%- for result in results if result.status in ['error', 'fail', 'runtime error'] -%}
      {%- do failed.append(result.node.unique_id) -%}
      {%- if result.node.resource_type in ['test', 'unit_test'] -%}
        {%- do failed.extend(result.node.depends_on.nodes) -%}
      {%- endif -%}
    {%- endfor -%}
    {%- do adapter.store_relation('headrace', none, [], '', 'publish', failed) -%}
  {%- endif -%}
{% endmacro %}
