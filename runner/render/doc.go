// Package render writes the report of a run in the formats that its readers
// want: text for a terminal, JSON for programs, Markdown for a pull request,
// annotations for GitHub Actions, JUnit XML for CI systems, a page for a
// browser and metrics for Prometheus. format.go has the table of formats; one
// file holds one format.
//
// Everything is made from a Run - the report of one portal, or those of many -
// and nothing else: a format asks no clock, decides no exit status and reads no
// terminal. The same run always gives the same bytes.
//
// Names, titles, values and messages come from manifests and from the portal,
// and are foreign text to every format: they go out through package clean, and
// markup only as text.
package render
