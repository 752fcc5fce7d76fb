;; Drops a resource of its own, whose destructor never returns.
(module
  (import "[export]things" "[resource-new]thing" (func $new (param i32) (result i32)))
  (import "[export]things" "[resource-drop]thing" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "things#[dtor]thing") (param i32) (loop (br 0)))
  (func (export "meterbox:plugin/collector@0.1.0#describe") (result i32) (i32.const 0))
  (func (export "meterbox:plugin/collector@0.1.0#collect") (result i32)
    (call $drop (call $new (i32.const 1)))
    (i32.const 0)))
