// Package runner brings live objects to their declared states: connectors,
// sources and tables of one portal, or of many (portals.go).
//
// A run reads (read.go, list.go), finds the live object of each declaration
// (match.go), compares (plan.go, and prune.go for what is to be removed), and,
// for an apply, writes (apply.go, write.go, create.go, remove.go), reads back
// (verify.go), and reports (report.go). What the kinds of objects differ in
// is in connector.go, source.go and table.go behind one interface
// (kind.go).
//
// Each object of an apply has a flow of its own (flow.go): sequential code,
// which begins at apply.bring. Package runner/schedule decides when which
// command goes to the portal.
package runner
