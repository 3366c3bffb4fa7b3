package manifest

import "strings"

// Nearest returns the one of among that word was probably meant to be, for a
// "did you mean": at most a third of its characters, and at least one, may be
// missing, added, changed or swapped with a neighbour; case does not count.
// The first of several equally near ones is taken. It returns "" where nothing
// is near.
func Nearest(word string, among []string) string {
	if word == "" || len(word) > longestWord {
		return ""
	}
	best, least := "", 0
	for _, candidate := range among {
		most := max(1, len(candidate)/3)
		if len(candidate) > longestWord {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d <= most && d < len(candidate) && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	return best
}

// longestWord is the longest word that is compared, in bytes: nobody misspells
// a longer one, and the distance costs its square.
const longestWord = 64

// distance is the optimal string alignment distance: Levenshtein's, with a
// swap of neighbours as one step. The words have at most longestWord bytes.
func distance(a, b string) int {
	as, bs := []rune(a), []rune(b)
	var rows [3][longestWord + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(as); i++ {
		row[0] = i
		for j := 1; j <= len(bs); j++ {
			cost := 1
			if as[i-1] == bs[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && as[i-1] == bs[j-2] && as[i-2] == bs[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(bs)]
}

// Match reports whether a name fits a pattern in which "*" matches any
// characters and "?" any one. No other character has a meaning of its own:
// names of objects hold slashes and brackets.
func Match(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	star, from := -1, 0 // the last star, and where in n its match ends
	i, j := 0, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i, j = i+1, j+1
		case star >= 0: // let the star match one more
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
