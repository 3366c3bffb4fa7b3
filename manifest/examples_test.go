package manifest_test

import (
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

func TestExamples(t *testing.T) {
	set, found, err := manifest.Load([]string{"../examples/docs-example.yaml", "../examples/fleet.yaml"}, manifest.Options{Check: schema.Check})
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	sources, found := (&manifest.Resolver{}).Resolve(set.Sources)
	for _, e := range found {
		t.Error(e.Detail())
	}
	want := []string{
		`#4 4 title="New source name" description="Updated source description" active=false login="new_admin" password="new_password"`,
		`warehouse 5 title="Warehouse" description="Stock and movements, refreshed every hour" host="db.internal"(revealed) port="5432"(revealed) login="bi_reader"(revealed) database="warehouse"(revealed) password="warehouse-example-password"(reference)`,
		`erp 6 title="ERP" port="5432" login="bi_reader" host="erp-db.internal"(revealed) database="erp" password="erp-example-password"(reference)`,
		`archive 7 title="Archive before 2020" port="5432" login="bi_reader" host="archive-db.internal"`,
		`billing 8 title="Billing"`,
		`shop-eu 9 title="Shop Europe" token="shop-example-token"(reference) url="https://eu.shop.example/api"(revealed)`,
		`#10 10 description="Orders of the shop in America" token="shop-example-token"(reference)`,
	}
	if len(sources) != len(want) {
		t.Fatalf("got %d sources, want %d", len(sources), len(want))
	}
	for i, s := range sources {
		if got := show(s); got != want[i] {
			t.Errorf("got\n%s\nwant\n%s", got, want[i])
		}
	}
}
