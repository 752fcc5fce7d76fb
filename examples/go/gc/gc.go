// Package gc makes Go's garbage collector fit for a plugin. Import it, and call Step first in every export.
//
// Go starts a collection when it likes, also while the host passes a result in. There a guest may not call its host, but a
// collection reads the clock: that traps ("cannot leave component instance"). So collections are left to Step. The bindings
// also keep everything that the host ever passed in; Step lets go of it.
package gc

import (
	"runtime"
	"runtime/debug"

	wit "go.bytecodealliance.org/pkg/wit/runtime"
)

// How many bytes of garbage may lie about, beside as much as there is in use. A collection takes some tenths of a millisecond.
const most = 512 << 10

// Bytes in use after the last collection.
var live uint64

func init() {
	debug.SetGCPercent(-1)
}

// Step collects garbage once there is much of it. What imports returned in an earlier call may be collected, unless Go code
// still refers to it.
func Step() {
	wit.Unpin()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if stats.HeapAlloc > 2*live+most {
		runtime.GC()
		runtime.ReadMemStats(&stats)
		live = stats.HeapAlloc
	}
}
