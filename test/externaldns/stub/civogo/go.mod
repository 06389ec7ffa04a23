module github.com/civo/civogo

go 1.27.0
