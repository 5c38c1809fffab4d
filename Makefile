.PHONY: run test check bench promises

run:
	./run

test check bench promises:
	./run $@
