; What counts as a definition, by grammar: tree-sitter queries, which capture the names as @name. A section begins with
; `;; GRAMMAR …`, and is for all the grammars that it names. Functions, methods, classes and other types, modules, macros,
; members of enumerations, and constants at the top level or of a class; neither declarations without a body (but for
; those of interfaces), nor fields, parameters and local variables. Names of nodes: those of the grammars in
; tree-sitter-language-pack 0.13. `words` is ours: the text of @_word is one of them. So is `;! WORD …` in a section: what
; all of its patterns match has one of these words in it, in any case, so a text that has none of them defines nothing.

;; c glsl hlsl cpp cuda objc
(function_definition declarator: [
  (function_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))])])
(struct_specifier name: (type_identifier) @name body: (_))
(union_specifier name: (type_identifier) @name body: (_))
(enum_specifier name: (type_identifier) @name body: (_))
(enumerator name: (identifier) @name)
(type_definition declarator: [
  (type_identifier) @name
  (pointer_declarator declarator: (type_identifier) @name)
  (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))])
(preproc_def name: (identifier) @name)
(preproc_function_def name: (identifier) @name)
(translation_unit (declaration declarator: (init_declarator declarator: [
  (identifier) @name
  (array_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (identifier) @name)])))

;; hlsl cpp cuda
(function_definition declarator: [
  (function_declarator declarator: [
    (field_identifier) @name
    (qualified_identifier name: [(identifier) @name (qualified_identifier name: (identifier) @name)])])
  (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) @name (qualified_identifier name: (identifier) @name)]))
  (reference_declarator (function_declarator declarator: [(identifier) @name (field_identifier) @name (qualified_identifier name: (identifier) @name)]))])
(class_specifier name: [(type_identifier) @name (template_type name: (type_identifier) @name)] body: (_))
(struct_specifier name: (template_type name: (type_identifier) @name) body: (_))
(alias_declaration name: (type_identifier) @name)
(concept_definition name: (identifier) @name)
(namespace_definition name: (namespace_identifier) @name)
(declaration_list (declaration declarator: (init_declarator declarator: [(identifier) @name (array_declarator declarator: (identifier) @name)])))

;; objc
(class_interface . (identifier) @name)
(class_implementation . (identifier) @name)
(protocol_declaration . (identifier) @name)
(method_definition (method_type) . (identifier) @name)

;; csharp
(namespace_declaration name: (_) @name)
(file_scoped_namespace_declaration name: (_) @name)
(class_declaration name: (identifier) @name)
(struct_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(record_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(enum_member_declaration name: (identifier) @name)
(delegate_declaration name: (identifier) @name)
(constructor_declaration name: (identifier) @name)
(method_declaration name: (identifier) @name)
(local_function_statement name: (identifier) @name)
(property_declaration name: (identifier) @name)
(event_declaration name: (identifier) @name)
(event_field_declaration (variable_declaration (variable_declarator name: (identifier) @name)))
(field_declaration (modifier "const") (variable_declaration (variable_declarator name: (identifier) @name)))
(field_declaration (modifier "static") (modifier "readonly") (variable_declaration (variable_declarator name: (identifier) @name)))

;; java
(class_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(enum_constant name: (identifier) @name)
(record_declaration name: (identifier) @name)
(annotation_type_declaration name: (identifier) @name)
(annotation_type_element_declaration name: (identifier) @name)
(constructor_declaration name: (identifier) @name)
(compact_constructor_declaration name: (identifier) @name)
(method_declaration name: (identifier) @name)
(constant_declaration declarator: (variable_declarator name: (identifier) @name))
(field_declaration (modifiers "static" "final") declarator: (variable_declarator name: (identifier) @name))
(field_declaration (modifiers "final" "static") declarator: (variable_declarator name: (identifier) @name))

;; apex
(class_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(enum_constant name: (identifier) @name)
(constructor_declaration name: (identifier) @name)
(method_declaration name: (identifier) @name)
(trigger_declaration name: (identifier) @name)
(field_declaration (modifiers (modifier (static)) (modifier (final))) declarator: (variable_declarator name: (identifier) @name))

;; javascript typescript tsx qmljs
(function_declaration name: (identifier) @name)
(generator_function_declaration name: (identifier) @name)
(method_definition name: [(property_identifier) (private_property_identifier)] @name)
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression) (generator_function) (class)])
(export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name)))
(export_statement declaration: (variable_declaration (variable_declarator name: (identifier) @name)))
(assignment_expression left: (member_expression property: (property_identifier) @name) right: [(arrow_function) (function_expression) (generator_function) (class)])
(pair key: (property_identifier) @name value: [(arrow_function) (function_expression) (generator_function)])

;; javascript typescript tsx
(program (lexical_declaration (variable_declarator name: (identifier) @name)))
(program (variable_declaration (variable_declarator name: (identifier) @name)))

;; javascript
(class_declaration name: (identifier) @name)
(field_definition property: (property_identifier) @name value: [(arrow_function) (function_expression)])

;; typescript tsx qmljs
(class_declaration name: (type_identifier) @name)
(abstract_class_declaration name: (type_identifier) @name)
(interface_declaration name: (type_identifier) @name)
(type_alias_declaration name: (type_identifier) @name)
(enum_declaration name: (identifier) @name)
(enum_body name: (property_identifier) @name)
(enum_assignment name: (property_identifier) @name)
(internal_module name: (identifier) @name)
(module name: (identifier) @name)
(function_signature name: (identifier) @name)
(method_signature name: (property_identifier) @name)
(abstract_method_signature name: (property_identifier) @name)
(public_field_definition name: (property_identifier) @name value: [(arrow_function) (function_expression)])
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name)))

;; qmljs
(ui_property name: (identifier) @name)
(ui_signal name: (identifier) @name)

;; python
(function_definition name: (identifier) @name)
(class_definition name: (identifier) @name)
(class_definition body: (block (assignment left: (identifier) @name)))
(module (assignment left: (identifier) @name))
(module (assignment right: (assignment left: (identifier) @name)))
(module (assignment left: (pattern_list (identifier) @name)))
(type_alias_statement left: (type (identifier) @name))

;; starlark
(function_definition name: (identifier) @name)
(module (expression_statement (assignment left: (identifier) @name)))

;; ruby
(module name: [(constant) (scope_resolution name: (constant))] @name)
(class name: [(constant) (scope_resolution name: (constant))] @name)
(method name: (_) @name)
(singleton_method name: (_) @name)
(alias name: (identifier) @name)
(assignment left: (constant) @name)

;; go
(function_declaration name: (identifier) @name)
(method_declaration name: (field_identifier) @name)
(type_spec name: (type_identifier) @name)
(type_alias name: (type_identifier) @name)
(method_elem name: (field_identifier) @name)
(source_file (const_declaration (const_spec name: (identifier) @name)))
(source_file (var_declaration (var_spec name: (identifier) @name)))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name))))

;; rust
(mod_item name: (identifier) @name body: (_))
(function_item name: (identifier) @name)
(function_signature_item name: (identifier) @name)
(struct_item name: (type_identifier) @name)
(enum_item name: (type_identifier) @name)
(enum_variant name: (identifier) @name)
(union_item name: (type_identifier) @name)
(trait_item name: (type_identifier) @name)
(associated_type name: (type_identifier) @name)
(const_item name: (identifier) @name)
(static_item name: (identifier) @name)
(type_item name: (type_identifier) @name)
(macro_definition name: (identifier) @name)

;; php
;! class const enum function interface trait
(function_definition name: (name) @name)
(class_declaration name: (name) @name)
(interface_declaration name: (name) @name)
(trait_declaration name: (name) @name)
(enum_declaration name: (name) @name)
(enum_case name: (name) @name)
(method_declaration name: (name) @name)
(const_element . (name) @name)

;; hack
(function_declaration name: (identifier) @name)
(class_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(trait_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(method_declaration name: (identifier) @name)
(const_declarator name: (identifier) @name)
(alias_declaration . (identifier) @name)

;; bash
(function_definition name: (word) @name)
(program (variable_assignment name: (variable_name) @name))
(program (declaration_command (variable_assignment name: (variable_name) @name)))

;; fish
;! function
(function_definition name: (word) @name)

;; powershell
(function_statement (function_name) @name)
(class_statement . (simple_name) @name)
(class_method_definition (simple_name) @name)
(enum_statement . (simple_name) @name)

;; perl
;! class constant method package sub
(package_statement name: (package) @name)
(class_statement name: (package) @name)
(subroutine_declaration_statement name: (bareword) @name)
(method_declaration_statement name: (bareword) @name)
(use_statement module: (package) @_word (list_expression . (autoquoted_bareword) @name) (#set! words "constant"))

;; lua
(function_declaration name: (identifier) @name)
(function_declaration name: (dot_index_expression field: (identifier) @name))
(function_declaration name: (method_index_expression method: (identifier) @name))
(assignment_statement (variable_list . name: (identifier) @name) (expression_list . value: (function_definition)))
(assignment_statement (variable_list . name: (dot_index_expression field: (identifier) @name)) (expression_list . value: (function_definition)))

;; luau
(function_declaration name: (identifier) @name)
(function_declaration name: (dot_index_expression field: (identifier) @name))
(type_definition name: (identifier) @name)

;; kotlin
(class_declaration (type_identifier) @name)
(object_declaration (type_identifier) @name)
(function_declaration (simple_identifier) @name)
(enum_entry (simple_identifier) @name)
(type_alias . (type_identifier) @name)
(source_file (property_declaration (variable_declaration (simple_identifier) @name)))
(property_declaration (modifiers (property_modifier)) (variable_declaration (simple_identifier) @name))

;; scala
(class_definition name: (identifier) @name)
(object_definition name: (identifier) @name)
(trait_definition name: (identifier) @name)
(enum_definition name: (identifier) @name)
(simple_enum_case name: (identifier) @name)
(function_definition name: (identifier) @name)
(function_declaration name: (identifier) @name)
(type_definition name: (type_identifier) @name)
(template_body (val_definition pattern: (identifier) @name))
(compilation_unit (val_definition pattern: (identifier) @name))

;; groovy
(command (unit (identifier) @_word) (block (unit (func . (identifier) @name))) (#set! words "def"))

;; swift
(class_declaration name: (type_identifier) @name)
(class_declaration name: (user_type (type_identifier) @name))
(protocol_declaration name: (type_identifier) @name)
(function_declaration name: (simple_identifier) @name)
(protocol_function_declaration name: (simple_identifier) @name)
(typealias_declaration . name: (type_identifier) @name)
(enum_entry name: (simple_identifier) @name)
(source_file (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)))
(property_declaration (modifiers (property_modifier)) name: (pattern bound_identifier: (simple_identifier) @name))

;; dart
(class_definition name: (identifier) @name)
(mixin_declaration (identifier) @name)
(extension_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(enum_constant name: (identifier) @name)
(type_alias . (type_identifier) @name)
(function_signature name: (identifier) @name)
(getter_signature name: (identifier) @name)
(setter_signature name: (identifier) @name)
(static_final_declaration . (identifier) @name)

;; d
(class_declaration (identifier) @name)
(struct_declaration (identifier) @name)
(interface_declaration (identifier) @name)
(enum_declaration (identifier) @name)
(function_declaration (identifier) @name)
(alias_initializer . (identifier) @name)

;; zig
(FnProto function: (IDENTIFIER) @name)
(Decl (VarDecl . variable_type_function: (IDENTIFIER) @name))

;; odin
(procedure_declaration . (identifier) @name)
(struct_declaration . (identifier) @name)
(enum_declaration . (identifier) @name)
(const_declaration . (identifier) @name)

;; nim
(proc_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
(func_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
(method_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
(iterator_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
(template_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
(macro_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
(type_symbol_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
(const_section (variable_declaration (symbol_declaration_list (symbol_declaration name: [(identifier) @name (exported_symbol (identifier) @name)]))))

;; hare
(function_declaration name: (identifier) @name)
(type_declaration . (identifier) @name)
(constant_declaration . (identifier) @name)

;; v
(function_declaration name: (identifier) @name)
(const_spec name: (identifier) @name)
(struct_declaration name: (_) @name)
(enum_declaration name: (_) @name)
(interface_declaration name: (_) @name)

;; ada
(package_declaration name: (_) @name)
(package_body name: (_) @name)
(procedure_specification name: (_) @name)
(function_specification name: (_) @name)
(full_type_declaration . (identifier) @name)
(object_declaration name: (identifier) @name)

;; pascal
(declType name: (identifier) @name)
(declConst name: (identifier) @name)
(declProc name: (identifier) @name)
(declProc name: (genericDot rhs: (identifier) @name))

;; fortran
(module_statement (name) @name)
(program_statement (name) @name)
(subroutine_statement name: (name) @name)
(function_statement name: (name) @name)

;; matlab
(function_definition name: (identifier) @name)
(class_definition name: (identifier) @name)

;; julia
(module_definition name: (identifier) @name)
(function_definition (signature [(call_expression . (identifier) @name) (call_expression . (field_expression (identifier) @name .))]))
(function_definition (signature [(typed_expression . (call_expression . (identifier) @name)) (where_expression . [(call_expression . (identifier) @name) (typed_expression . (call_expression . (identifier) @name))])]))
(macro_definition (signature (call_expression . (identifier) @name)))
(assignment . [(call_expression . (identifier) @name) (typed_expression . (call_expression . (identifier) @name)) (where_expression . (call_expression . (identifier) @name))])
(struct_definition (type_head (identifier) @name))
(struct_definition (type_head (binary_expression . [(identifier) @name (parametrized_type_expression . (identifier) @name)])))
(struct_definition (type_head (parametrized_type_expression . (identifier) @name)))
(abstract_definition (type_head [(identifier) @name (binary_expression . (identifier) @name)]))
(primitive_definition (type_head (identifier) @name))
(const_statement (assignment . (identifier) @name))

;; r
(program (binary_operator lhs: (identifier) @name operator: ["<-" "=" "<<-"]))
(binary_operator lhs: (identifier) @name operator: ["<-" "=" "<<-"] rhs: (function_definition))

;; haskell
(data_type name: (name) @name)
(newtype name: (name) @name)
(type_synomym name: (name) @name)
(type_family name: (name) @name)
(class name: (name) @name)
(class_declarations (signature name: (variable) @name))
(data_constructor constructor: [(prefix name: (constructor) @name) (record name: (constructor) @name)])
(newtype_constructor name: (constructor) @name)
(declarations (function name: [(variable) @name (prefix_id (operator) @name)]))
(declarations (function (infix operator: [(operator) @name (infix_id (variable) @name)])))
(declarations (bind name: (variable) @name))

;; purescript
(data name: (type) @name)
(newtype name: (type) @name)
(type_alias name: (type) @name)
(class_head (class_name (type) @name))
(function name: (variable) @name)

;; elm
(type_declaration name: (upper_case_identifier) @name)
(union_variant name: (upper_case_identifier) @name)
(type_alias_declaration name: (upper_case_identifier) @name)
(file (value_declaration functionDeclarationLeft: (function_declaration_left . (lower_case_identifier) @name)))
(port_annotation name: (lower_case_identifier) @name)

;; ocaml
(compilation_unit (value_definition (let_binding pattern: (value_name) @name)))
(structure (value_definition (let_binding pattern: (value_name) @name)))

;; ocaml ocaml_interface
(type_binding name: (type_constructor) @name)
(constructor_declaration (constructor_name) @name)
(module_binding (module_name) @name)
(module_type_definition (module_type_name) @name)
(class_binding (class_name) @name)
(method_definition (method_name) @name)
(external (value_name) @name)
(value_specification (value_name) @name)

;; fsharp
(named_module name: (_) @name)
(module_defn (identifier) @name)
(type_name type_name: (identifier) @name)
(union_type_case (identifier) @name)
(exception_definition exception_name: (_) @name)
(member_defn (method_or_prop_defn name: (property_or_ident method: (identifier) @name)))
(member_signature . (identifier) @name)
(declaration_expression (function_or_value_defn (function_declaration_left . (identifier) @name)))
(declaration_expression (function_or_value_defn (value_declaration_left (identifier_pattern . (long_identifier_or_op (identifier) @name)))))

;; elixir
(call target: (identifier) @_word (arguments . (alias) @name) (#set! words "defmodule defprotocol"))
(call target: (identifier) @_word (arguments . [(identifier) @name (call target: (identifier) @name) (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")]) (#set! words "def defp defmacro defmacrop defguard defguardp defdelegate defn defnp"))

;; erlang
(function_clause name: (atom) @name)
(record_decl name: (atom) @name)
(type_alias name: (type_name name: (atom) @name))
(macro_lhs name: (_) @name)

;; gleam
(function name: (identifier) @name)
(constant name: (identifier) @name)
(type_definition (type_name name: (type_identifier) @name))
(type_alias (type_name name: (type_identifier) @name))
(data_constructor name: (constructor_name) @name)

;; clojure
(source (list_lit . value: (sym_lit name: (sym_name) @_word) . value: (sym_lit name: (sym_name) @name) (#set! words "ns def defn defn- defmacro defonce defmulti defprotocol defrecord deftype definterface defstruct")))

;; commonlisp
(defun_header function_name: (sym_lit) @name)
(source (list_lit . value: (sym_lit) @_word . value: (sym_lit) @name (#set! words "defvar defparameter defconstant defclass defstruct deftype defpackage define-condition")))

;; elisp
(function_definition name: (symbol) @name)
(macro_definition name: (symbol) @name)
(source_file (special_form . "defvar" . (symbol) @name))
(source_file (special_form . "defconst" . (symbol) @name))
(source_file (list . (symbol) @_word . (symbol) @name (#set! words "defcustom defgroup defface define-minor-mode define-derived-mode cl-defun cl-defmethod cl-defgeneric cl-defstruct defclass cl-defmacro")))

;; scheme racket
(list . (symbol) @_word . [(list . (symbol) @name) (symbol) @name] (#set! words "define define-syntax define-record-type define-values define-syntax-rule define/contract struct define-struct"))

;; fennel
(fn name: (symbol) @name)
(lambda name: (symbol) @name)

;; janet
(extra_defs name: (symbol) @name)
(def name: (symbol) @name)

;; clarity
(function_signature . (identifier) @name)
(constant_definition . (identifier) @name)
(variable_definition . (identifier) @name)
(mapping_definition . (identifier) @name)

;; solidity
(contract_declaration name: (identifier) @name)
(library_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(function_definition name: (identifier) @name)
(modifier_definition name: (identifier) @name)
(event_definition name: (identifier) @name)
(error_declaration name: (identifier) @name)
(struct_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(state_variable_declaration name: (identifier) @name)

;; cairo
(function_definition . (identifier) @name)
(struct_item name: (type_identifier) @name)
(enum_item name: (type_identifier) @name)
(trait_item name: (type_identifier) @name)
(mod_item name: (identifier) @name)
(const_item name: (identifier) @name)

;; haxe
(class_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(typedef_declaration name: (identifier) @name)
(function_declaration name: (identifier) @name)

;; gdscript
(class_name_statement name: (name) @name)
(class_definition name: (name) @name)
(function_definition name: (name) @name)
(enum_definition name: (name) @name)
(signal_statement name: (name) @name)
(const_statement name: (name) @name)

;; squirrel
(function_declaration . (identifier) @name)
(class_declaration . (identifier) @name)
(const_declaration . (identifier) @name)
(enum_declaration . (identifier) @name)

;; pony
(class_definition (identifier) @name)
(actor_definition (identifier) @name)
(trait_definition (identifier) @name)
(interface_definition (identifier) @name)
(primitive_definition (identifier) @name)
(struct_definition (identifier) @name)
(type_alias . (identifier) @name)
(method (identifier) @name)
(behavior (identifier) @name)

;; smali
(class_directive (class_identifier) @name)
(method_signature (method_identifier) @name)

;; wgsl
(function_declaration name: (identifier) @name)
(struct_declaration name: (identifier) @name)
(global_constant_declaration . (identifier) @name)
(type_alias_declaration . (identifier) @name)

;; verilog
(module_header (simple_identifier) @name)
(package_declaration (package_identifier) @name)
(class_declaration (class_identifier) @name)
(interface_ansi_header (interface_identifier) @name)
(function_body_declaration (function_identifier) @name)
(task_body_declaration (task_identifier) @name)
(text_macro_definition (text_macro_name (text_macro_identifier) @name))
(param_assignment (parameter_identifier) @name)
(type_declaration (simple_identifier) @name)

;; vhdl
(entity_declaration name: (identifier) @name)
(architecture_body name: (identifier) @name)
(package_declaration name: (identifier) @name)
(component_declaration name: (identifier) @name)
(function_body designator: (identifier) @name)
(procedure_body designator: (identifier) @name)
(full_type_declaration name: (identifier) @name)
(constant_declaration (identifier_list (identifier) @name))

;; proto
(message_name (identifier) @name)
(enum_name (identifier) @name)
(enum_field . (identifier) @name)
(service_name (identifier) @name)
(rpc_name (identifier) @name)

;; thrift
(struct_definition type: (identifier) @name)
(union_definition type: (identifier) @name)
(enum_definition . "enum" . type: (identifier) @name)
(service_definition . "service" . type: (identifier) @name)
(exception_definition (identifier) @name)
(function_definition (type) . (identifier) @name)
(const_definition (type) . (identifier) @name)
(typedef_identifier) @name

;; capnp
(struct (type_identifier) @name)
(interface (type_identifier) @name)
(method (method_identifier) @name)
(enum (enum_identifier) @name)
(const_identifier) @name

;; smithy
(structure_statement (identifier) @name)
(operation_statement (identifier) @name)
(service_statement (identifier) @name)
(simple_shape_statement (identifier) @name)
(enum_statement (identifier) @name)

;; graphql
(object_type_definition (name) @name)
(interface_type_definition (name) @name)
(input_object_type_definition (name) @name)
(enum_type_definition (name) @name)
(scalar_type_definition (name) @name)
(union_type_definition (name) @name)
(operation_definition (name) @name)
(fragment_name (name) @name)

;; prisma
(model_block (identifier) @name)
(enum_block . (identifier) @name)

;; hcl
(config_file (body (block (string_lit (template_literal) @name) . (block_start))))

;; puppet
(class_definition (class_identifier) @name)
(defined_resource_type . (_) @name)
(function_declaration . (_) @name)

;; cmake
;! function macro
(function_command (argument_list . (argument) @name))
(macro_command (argument_list . (argument) @name))

;; typst
(let pattern: [(ident) @name (call item: (ident) @name)])

;; rego
(rule_head . (var) @name)

;; jsonnet
(bind function: (id) @name)

;; wat
(module_field_func identifier: (identifier) @name)
(module_field_type identifier: (identifier) @name)

;; llvm
(function_header name: (global_var) @name)
(global_global (global_var) @name)

;; bitbake
(function_definition . (identifier) @name)
(anonymous_python_function . (identifier) @name)
