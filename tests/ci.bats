#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The files for the CI of others: what linters with their schemas say.

load lib/setup

setup_file() {
	command -v npm >/dev/null || skip "the linters need npm"
	npm install --silent --no-fund --no-audit --prefix "$build/linters" \
		@action-validator/core@0.6.0 @action-validator/cli@0.6.0 gitlab-ci-local@4.61.0 2>/dev/null
}

# gitlab FILE: what GitLab would make of it, a line a job
gitlab() {
	mkdir -p "$BATS_TEST_TMPDIR/gitlab"
	cp "$1" "$BATS_TEST_TMPDIR/gitlab/.gitlab-ci.yml"
	in_git "$BATS_TEST_TMPDIR/gitlab" 2>/dev/null || true
	(cd "$BATS_TEST_TMPDIR/gitlab" && "$build/linters/node_modules/.bin/gitlab-ci-local" --list 2>&1)
}

rows_of_the_matrix() { sed -n 's/^\([a-z0-9-]*\) .*/\1/p' tests/matrix; }

@test "the GitHub workflow is one, and a wrong key would be seen" {
	validator=$build/linters/node_modules/.bin/action-validator
	"$validator" .github/workflows/matrix.yml
	sed 's/runs-on/runs_on/' .github/workflows/matrix.yml >"$BATS_TEST_TMPDIR/wrong.yml"
	run "$validator" "$BATS_TEST_TMPDIR/wrong.yml"
	[ "$status" -ne 0 ]
}

@test "GitHub gets every row of the matrix" {
	run make -s rows
	[[ $output == rows=* ]]
	diff <(perl -MJSON::PP -e 'print "$_\n" for @{decode_json(<STDIN>)}' <<<"${output#rows=}") <(rows_of_the_matrix)
}

@test "the GitLab pipeline is one, and a wrong key would be seen" {
	run gitlab .gitlab-ci.yml
	echo "$output"
	[[ $output == *"json schema validated"* && $output == *matrix* ]]
	sed 's/script:/skript:/' .gitlab-ci.yml >"$BATS_TEST_TMPDIR/wrong.yml"
	run gitlab "$BATS_TEST_TMPDIR/wrong.yml"
	[[ $output != *"json schema validated"* ]]
}

@test "GitLab gets every row of the matrix" {
	make -s rows FORMAT=gitlab >"$BATS_TEST_TMPDIR/rows.yml"
	run gitlab "$BATS_TEST_TMPDIR/rows.yml"
	echo "$output"
	[[ $output == *"json schema validated"* ]]
	diff <(sed -n 's/^row: \[\(.*\)\].*/\1/p' <<<"$output") <(rows_of_the_matrix)
}

@test "the files call make and nothing else of this project" {
	run grep -nE 'bin/|tests/[a-z]+\.bats' .github/workflows/matrix.yml .gitlab-ci.yml
	[ "$status" -eq 1 ]
}
