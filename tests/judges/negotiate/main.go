// negotiate reads Accept headers from standard input, one a line, and prints what prometheus/common makes of each, as
// promhttp asks it: one Content-Type a line.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"

	"github.com/prometheus/common/expfmt"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		header := http.Header{"Accept": {lines.Text()}}
		fmt.Fprintln(out, expfmt.NegotiateIncludingOpenMetrics(header))
	}
}
