module syncsources

go 1.26
