package clocktest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/testing/clocktest"
)

// The package comment lists the cases, all of them and in order.
func TestDoc(t *testing.T) {
	var text string
	func() {
		defer func() { text, _ = recover().(string) }()
		clocktest.Without("no such case", "to see the list")
	}()
	_, list, _ := strings.Cut(text, "there are ")
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rest := string(doc)
	for name := range strings.SplitSeq(list, ", ") {
		var found bool
		if _, rest, found = strings.Cut(rest, "\n//\t"+name+" "); !found {
			t.Fatalf("doc.go does not have %q, or not after the ones before", name)
		}
	}
	if strings.Contains(rest, "\n//\t") {
		t.Errorf("doc.go has more cases than there are")
	}
}
