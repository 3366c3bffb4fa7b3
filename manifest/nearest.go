package manifest

import "strings"

// Nearest returns the one of among that word was probably meant to be, for a
// "did you mean": at most a third of its characters, and at least one, may be
// missing, added, changed or swapped with a neighbour; case does not count.
// The first of several equally near ones is taken. It returns "" where nothing
// is near.
func Nearest(word string, among []string) string {
	const longest = 64 // nobody misspells a longer one, and the distance costs its square
	if word == "" || len(word) > longest {
		return ""
	}
	best, least := "", 0
	for _, candidate := range among {
		if len(candidate) > longest {
			continue
		}
		d := distance([]rune(strings.ToLower(word)), []rune(strings.ToLower(candidate)))
		if d <= max(1, len(candidate)/3) && d < len(candidate) && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the optimal string alignment distance: Levenshtein's, with a
// swap of neighbours as one step.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
