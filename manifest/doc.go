// Package manifest reads the YAML files that declare the desired state of
// BIconnector sources.
//
// What it finds wrong is returned as findings with position, rule and advice,
// never as a Go error; see Error.
package manifest
