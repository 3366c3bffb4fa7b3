package schedule

import (
	"slices"
	"testing"
)

func TestSize(t *testing.T) {
	known := func(mean float64) estimate { return estimate{mean: mean, n: 512} }
	base := sizing{slots: 16, atHand: 45, rate: 2, limit: 20, cut: 54, most: 50}
	for _, tt := range []struct {
		name string
		z    func(z *sizing)
		want int
	}{
		{"free commands fill batches", func(z *sizing) { z.work, z.cost = 9999, known(0) }, 50},
		{"few tokens fill batches", func(z *sizing) { z.work, z.cost = 9999, known(.025) }, 50},
		{"plenty of tokens spread the work", func(z *sizing) { z.work, z.cost = 400, known(.025) }, 25},
		{"more slots than tokens", func(z *sizing) { z.work, z.slots, z.cost = 400, 50, known(.025) }, 9},
		{"tokens that other work needs are not there", func(z *sizing) { z.work, z.slots, z.others, z.cost = 400, 50, 25, known(.025) }, 20},
		{"equal rounds below the limit, with room for a slow one", func(z *sizing) { z.work, z.cost = 1000, known(1.35) }, 11},
		{"nearly until the cut where tokens are scarce", func(z *sizing) { z.work, z.atHand, z.rate, z.cost = 100000, 0, .1, known(1.35) }, 40},
		{"one command too long for the limit", func(z *sizing) { z.work, z.cost = 100, known(30) }, 1},
		{"work in flight counts", func(z *sizing) { z.work, z.busy, z.cost = 17, slices.Repeat([]float64{1}, 15), known(1) }, 2},
		{"the last ones", func(z *sizing) { z.work, z.cost = 3, known(1) }, 1},
		{"a cap after a cut", func(z *sizing) { z.work, z.most, z.cost = 1000, 7, known(.025) }, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			z := base
			tt.z(&z)
			if got := z.size(); got != tt.want {
				t.Errorf("size %d, want %d", got, tt.want)
			}
		})
	}
}

// Pessimists expect a slow command as long as few are known.
func TestFewKnownCostsMakeSmallBatches(t *testing.T) {
	few, many := estimate{mean: .5, spread: .1, n: 10}, estimate{mean: .5, spread: 2, n: 512}
	if a, b := few.pessimistic(20).largest(20, 50), many.pessimistic(20).largest(20, 50); a >= b {
		t.Errorf("batches of %d where 10 costs are known, %d where 512 are", a, b)
	}
}
