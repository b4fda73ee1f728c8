{#- The asset that a node of the graph is, and where the models of this invocation look for it. -#}
{% macro headrace_call(verb, node, more={}) %}
  {%- set relation = api.Relation.create(database=node.database, schema=node.schema, identifier=node.get('identifier') or node.get('alias') or node.name) -%}
  {%- set location = node.source_name if node.resource_type == 'source' else node.fqn[1] -%}
  {%- set told = {'unique_id': node.unique_id, 'asset': location ~ '/' ~ node.name} -%}
  {%- do told.update(more) -%}
  {%- do adapter.store_relation('headrace', relation, [], '', verb, told) -%}
  {%- if verb == 'resume' and told.get('resumed') -%}{%- do adapter.cache_added(relation.incorporate(type='table')) -%}{%- endif -%}
{% endmacro %}

{#- Shows what nodes are, or stand for, from the store. -#}
{% macro headrace_show(names, optional=false) %}
  {%- for unique_id in headrace_reads(names) -%}
    {%- set node = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
    {%- if node and node.resource_type in ('model', 'seed', 'snapshot', 'source') -%}
      {%- do headrace_call('resolve', node, {'optional': optional}) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}

{#- What is read, with what ephemeral models read in their place. -#}
{% macro headrace_reads(names) %}
  {%- set found = [] -%}
  {%- for unique_id in names -%}
    {%- set node = graph.nodes.get(unique_id) -%}
    {%- if node and node.config.materialized == 'ephemeral' -%}
      {%- do found.extend(headrace_reads(node.depends_on.nodes)) -%}
    {%- else -%}
      {%- do found.append(unique_id) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(found | unique | list) }}
{% endmacro %}

{#- Before the models: whatever they read and this invocation does not build is shown from the store. -#}
{% macro headrace_resolve() %}
  {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed', 'snapshot', 'freshness') -%}
    {%- set upstream = selected_resources | list if flags.WHICH == 'freshness' else [] -%}
    {%- for unique_id in selected_resources -%}
      {%- set node = graph.nodes.get(unique_id) -%}
      {%- do upstream.extend(headrace_reads(node.depends_on.nodes) | reject('in', selected_resources) | list if node else []) -%}
    {%- endfor -%}
    {%- do headrace_show(upstream) -%}
    {%- for unique_id in selected_resources if flags.WHICH in ('build', 'run', 'snapshot') -%}
      {%- set node = graph.nodes.get(unique_id) -%}
      {%- if node and node.config.materialized in ('incremental', 'snapshot') and not (flags.FULL_REFRESH and node.config.materialized == 'incremental') -%}
        {%- do headrace_call('resume', node) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}

{#- After the tests: commits the staged models whose tests of severity error all passed, and keeps the others unseen. -#}
{% macro headrace_publish(results) %}
  {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'snapshot') -%}
    {%- set ended = {} -%}
    {%- for result in results -%}
      {%- do ended.update({result.node.unique_id: {'status': result.status ~ '', 'message': result.message ~ ''}}) -%}
    {%- endfor -%}
    {%- set tests = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'test' -%}
      {%- do tests.append({'id': node.unique_id, 'name': node.name, 'reads': node.depends_on.nodes, 'blocking': node.config.severity | lower == 'error'}) -%}
    {%- endfor -%}
    {%- for result in results if result.node.resource_type == 'unit_test' -%}
      {%- do tests.append({'id': result.node.unique_id, 'name': result.node.name, 'reads': result.node.depends_on.nodes, 'blocking': false}) -%}
    {%- endfor -%}
    {%- do adapter.store_relation('headrace', none, [], '', 'publish', {'ended': ended, 'tests': tests}) -%}
  {%- endif -%}
{% endmacro %}
