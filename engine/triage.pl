# SPDX-License-Identifier: GPL-2.0-only
# perl triage.pl DIR: judge the system reset in the kernel files of DIR, and print
# "verdict<TAB>why<TAB>number of writes".
#
# Contract: the answer is "fixed" or "vulnerable" only if statement() knows each statement of
# the reset and of every function that it calls, and if KVM's own files do not redefine a name
# in them, be it by a macro, a second definition, a condition or a compiler flag. Anything else
# is "unknown", with the line. Other headers of asm/ must not define these names either;
# otherwise they, and what is not in DIR, are taken to be upstream's.
#
# How: scan() records what a file defines. run() goes through a function, and statement()
# records in @did what each statement does, and to which vCPU. walk() looks for writes without
# their lock. What was done must then amount to the reset as upstream has it.
use strict; use warnings;
my ($kvm, $asm, $reset) = qw(arch/riscv/kvm arch/riscv/include/asm kvm_riscv_vcpu_sbi_system_reset);
my $ours = qr{^$kvm|^arch/.*/kvm[^/]*$};
my ($round, $curly) = (qr/(\((?:[^()]++|(?-1))*+\))/, qr/(\{(?:[^{}]++|(?-1))*+\})/);
my $string = qr/"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'/;
# names that KVM for RISC-V must not declare, and macros with what they must be
my $upstream = qr/^(?:(?:raw_)?spin_\w+|mutex_\w+|WRITE_ONCE|(?:scoped_)?guard|(?:raw_)?spinlock(?:_(?!t$)\w+)?|
	lockdep_\w+|kvm_(?:for_each|get)_vcpu|atomic_read|kvm_make_\w+|kvm_vcpu_kick)$/x;
my %macro = (memset => qr/^\(\w+,\w+,\w+\)__memset\(/, KVM_REQ_SLEEP => qr/^ KVM_ARCH_REQ(?:\(0\)|_FLAGS\(0,[A-Z_|]+\))$/,
	kvm_for_each_vcpu => qr/^\(idx,vcpup,kvm\)(?:if\(atomic_read\(&kvm->online_vcpus\)\))?
	xa_for_each_range\(&kvm->vcpu_array,idx,vcpup,0,\(atomic_read\(&kvm->online_vcpus\)-1\)\)$/x);
# names that the kernel's macros for the statements below may come to
my $inner = qr/^(?!__lelong$)(?!(?!KVM_(?:ARCH_REQ|REQUEST)).*kvm)(?:_|[a-z\d]+$|(?:raw|arch|local|debug|spin\w*|mutex|preempt|
	softirq|lock\w*|xa|atomic|class|guard|scoped|write|read|compiletime|fortify\w*|build|bug\w*|warn\w*|do|trace_hardirqs|ftrace|
	instrumentation|dynamic|dep|online|vcpu_array|size|should|riscv_(?:short|int|ptr)|kvm_arch_req|kvm_request)(?:_|$))/xi;
# lines of the Makefile: conditions, lists of files, and the two others that upstream has
my $makes = qr{^(?:(?:ifn?(?:def|eq)|else|endif)\b.*|(?:[\w-]|\$\(\w+\))*[ ]*(?:[:+?]?=)?(?:[\s\w/.]|(?<=\w)-(?=\w)|\$\(\w+\))*\\?|
	ccflags-y[ ]*\+=[ ]*-I[ ]?(?:\$\(srctree\)/)?\$\(src\)|include[ ]*\$\(srctree\)/virt/kvm/Makefile\.kvm)$}x;
# In a statement, variables stand as what they are: `C is the calling vCPU, `T1 the one of the
# first loop, `V0 that of index 0, `M the VM, `R the run page, `type and `reason the arguments.
my $vcpu = qr/(?<of>`(?:C|[TV]\d+))/;
my ($lock, $field) = (qr/&$vcpu->arch\.mp_state_lock/, qr/$vcpu->arch\.mp_state\.mp_state/);
my ($to, $how) = (qr/KVM_MP_STATE_(?:STOPPED|(?<kind>\w+))/, qr/(?<kind>|_bh|_irq|_irqsave|_irqrestore)/);
my @forms = ( # what a known statement does, and to what
	[nothing => qr/^(?:\(void\)[\w`]+|lockdep_assert_held(?:_once)?\($lock\))?;$/],
	[lock => qr/^(?<raw>raw_)?spin_lock$how\($lock(?:,(?<flags>\w+))?\);$/],
	[unlock => qr/^(?<raw>raw_)?spin_unlock$how\($lock(?:,(?<flags>\w+))?\);$/],
	[guard => qr/^guard\((?:raw_)?spinlock$how\)\($lock\);$|^scoped_guard\((?:raw_)?spinlock$how,$lock\)(?<block>)$/],
	[write => qr/^WRITE_ONCE\($field,$to\);$|^$field(?<raw>[|&^])?=$to;$/],
	[power => qr/^$vcpu->arch\.power_off=true;$/],
	[request => qr/^kvm_make_all_cpus_request\(`M,KVM_REQ_SLEEP\);$/],
	[ask => qr/^kvm_make_request\(KVM_REQ_SLEEP,$vcpu\);$/],
	[kick => qr/^kvm_vcpu_kick\($vcpu\);$/],
	[event => qr/^memset\(&`R->(?<of>system_event,0,sizeof)\(`R->system_event\)\);$/],
	[event => qr/^`R->(?<of>(?:system_event\.(?:type|ndata|flags|data\[0\])|exit_reason)=[`\w]+);$/],
	[mutex => qr/^mutex_(?:un)?lock\(&`M->lock\);$/],
);
my (%text, %defined, %macros, %includes, %mentions, %shown, @did, @guards, @wrong, @events, $loop, $loops, $place);

sub content { open my $in, '<', $_[0] or return ''; return join '', <$in> }
sub norm { $_[0] =~ s/\s+/ /gr =~ s/ ?([^\w ]) ?/$1/gr }
sub lines { scalar $_[0] =~ tr/\n// }
sub items { my $list = substr $_[0], 1, -1; my @items; push @items, $1 while $list =~ /\G,?((?:[^(),]++|$round)++)/g; return @items }
sub did { push @did, [@_[0, 1], $_[2] // '', $place] }
sub writes { grep { $_->[0] =~ /^(?:write|power)$/ } @did }
sub answer { print join("\t", @_, scalar writes()), "\n"; exit }
# refuse WHERE [WHY]: the answer is unknown because of the line where this file and line are
sub refuse {
	my ($file, $line, $why) = (@{$_[0]}{qw(file line)}, $_[1] // 'not understood');
	@did = ();
	answer('unknown', "$file:$line: $why: " . ((split /\n/, content($file))[$line - 1] // '') =~ s/[^!-~]+/ /gr =~ s/^ | $//gr);
}

# scan FILE: the macros that it defines and, if it is KVM's, what it declares outside functions
sub scan {
	my ($file) = @_;
	my ($own, $dir, $line, $if, $at, $seen) = (scalar $file =~ $ours, $file =~ m{(.*/)}, 1, 0, 1, 0);
	(my $text = content($file)) =~ tr/\0/\x80/;
	# Joined lines and comments go, strings become "". For each newline that went, one is put
	# at the end of the line, so that all others keep their number.
	my $gone = sub { $text =~ s/^([^\n\0]*\0.*)/my $joined = $1; my $lines = $joined =~ tr{\0}{}d; $joined . "\n" x $lines/gme };
	$text =~ s/\\[^\S\n]*\n/\0/g && $gone->();
	$text =~ s{($string)|/\*(.*?)\*/|//[^\n]*}{$1 // ' ' . "\0" x lines($2 // '')}gse && $gone->();
	# A directive becomes "#if;", "#endif;" or "#;".
	$text =~ s{^[^\S\n]*#[^\S\n]*(\w*)(.*)}{
		my ($name, $rest) = ($1, norm($2));
		($at, $seen) = ($at + lines(substr $text, $seen, $-[0] - $seen), $-[0]);
		if ($name =~ /^(?:define|undef)$/ && $rest =~ /^ (\w+)(.*)/) {
			push @{$defined{$1}}, my $macro = {file => $file, line => $at, head => $2, name => $1};
			push @{$macros{$file =~ /c$/ ? $file : 'headers'}}, $macro if $own;
		}
		my $known = $name eq 'include' ? $rest =~ m{^(?:<[\w-]+(?:/[\w-]+)*\.h>|"([\w-]+(?:\.h|_test\.c))")$} && (!defined $1 || -e "$dir$1") :
			$name =~ /^(?:define|undef|if|ifdef|ifndef|elif|else|endif|error|)$/;
		# A file may include its tests: their macros are its own.
		push @{$includes{$file}}, "$dir$1" if $name eq 'include' && $rest =~ /"(\w+_test\.c)"/;
		refuse({file => $file, line => $at}) if $own && (!$known || $includes{$file} && $file =~ /_test/ || $rest =~ /^ \w*\\/);
		'#' . ($name =~ /^if/ ? 'if' : $name eq 'endif' ? $name : '') . ';'}gme;
	return if !$own;
	$text =~ s/$string/""/g;
	refuse({file => $file, line => 1 + lines(substr $text, 0, $-[0])}) if
		$text =~ /<[:%]|[:%]>|%:|R"|\b(?:_Pragma|\w*PASTE|CONCATENATE)\b|[\\'\$`\x80-\xff]/;
	# What is around all of a header is no condition.
	$text =~ s/\A(\s*)#if;(\s*#;.*)#endif;\s*\z/$1$2/s if $file =~ /\.h$/;
	$text{$file} = $text;
	while ($text =~ /\G([^{};]*+)(?:;|$curly)/gc) {
		my ($all, $head, $body) = ($&, $1, $2);
		my $it = {file => $file, if => $if, body => $body, line => $line + lines($head), head => norm($head) =~ s/^ | $//gr};
		$if = 99 if ($if += (() = $all =~ /#if;/g) - (() = $all =~ /#endif;/g)) < 0;
		$line += lines($all);
		refuse($it) if $it->{head} =~ /\b_*asm_*\b/;
		push @{$mentions{$_}}, $it for $it->{head} =~ /\w+/g;
	}
	refuse({file => $file, line => $line}) if $text =~ /\G\s*\S/;
}

# value TEXT ENV: an expression or statement, with what the variables are at this point, and
# without needless parentheses
sub value {
	my ($env, $chain) = ($_[1], qr/[\w`]+(?:(?:->|\.)\w+)*/);
	local $_ = norm($_[0]);
	s/(?<![\w.])(?<!->)([a-z_]\w*)/$env->{$1} ? "($env->{$1})" : $1/gie;
	1 while s/(?<![\w)\]])\(($chain)\)(?=->|[.,;)=[]|$)/$1/ || s/(?<=[(,=])\((&$chain)\)(?=[,)]|$)/$1/ || s/^\((&?$chain)\)$/$1/ ||
		s/(?<![\w)\]])\(&($chain)\)->/$1./ || s/$vcpu->kvm\b/`M/ || s/kvm_get_vcpu\(`M,(0|[1-9]\d?)\)/`V$1/;
	return $_;
}

# only FUNCTION NAME: refuse it if a name in it may mean something else than we take it for
sub only {
	my ($f, $name) = @_;
	for my $word ($name, "$f->{head}$f->{body}" =~ /\w+/g, qw(xa_for_each_range online_vcpus vcpu_array spinlock)) {
		my @others = grep { !$macro{$word} || $_->{head} !~ $macro{$word} } @{$defined{$word} // []};
		refuse($_, "another '$word'") for @others, $word =~ $upstream ? @{$mentions{$word} // []} : ();
	}
	$_->{name} =~ $inner && refuse($_, "'$_->{name}' may be in the kernel's macros") for
		map { @{$macros{$_} // []} } $f->{file}, @{$includes{$f->{file}} // []}, 'headers';
}

# run NAME ARGUMENT...: go through a function, if there is just one of that name
sub run {
	my ($name, @values) = @_;
	my ($f, @more) = grep { $_->{body} } my @all = @{$mentions{$name} // []};
	return if !$f || @more || $f->{if} || $f->{busy};
	my $declared = qr/^(?:(?:static|inline|__always_inline|noinline|extern) )*void $name$round$|^EXPORT_SYMBOL_GPL\($name\)$/;
	$_->{head} =~ $declared || refuse($_) for @all;
	only($f, $name);
	my %env = (' ' => $f);
	for (items($f->{head} =~ s/^[^(]*//r)) {
		my ($type, $parameter) = /^(struct \w+\*|(?:raw_)?spinlock_t\*|u(?:32|64) )(\w+)$/ or return;
		# Nothing else is done in a list of arguments, and no value is cut short.
		$env{$parameter} = shift(@values) // return;
		return if $env{$parameter} !~ /^(?:`\w+|$lock|&$vcpu->arch|[A-Z_\d]+)$/ || $env{$parameter} eq '`reason' && $type ne 'u64 ';
	}
	local @$f{qw(busy text)} = (1, $f->{body});
	return !@values && (block(\%env), 1);
}

# block ENV [N]: the next statement, with those in it; its variables and all guards but N end there
sub block {
	my ($env, $n) = ({%{$_[0]}}, $_[1] // scalar @guards);
	if ($env->{' '}{text} =~ /\G\s*\{/gc) { statement($env) until $env->{' '}{text} =~ /\G\s*\}/gc } else { statement($env) }
	did('unlock', @{pop @guards}[1, 2]) while @guards > $n;
}

# statement ENV: note down what it does, or refuse it
sub statement {
	my ($env, $f) = ($_[0], $_[0]{' '});
	my $here = {file => $f->{file}, line => $f->{line} + lines(substr $f->{text}, 0, $f->{text} =~ /\G\s*/gc && pos $f->{text})};
	$place = "$here->{file}:$here->{line}" if $f == $mentions{$reset}[0];
	return block($env) if $f->{text} =~ /\G(?=\{)/gc;
	my $text = $f->{text} =~ /\G((?:kvm_for_each_vcpu|if|scoped_guard)\s*$round|[^{};]*+;)/gc ? norm($1) : '';
	my $does = value($text, $env);
	# No name may hide another. One without a value, '', may still be given one.
	my @names = $text =~ /^(?:unsigned (?:long|int)|unsigned|int|long|struct kvm_vcpu)(?: |\*)\w+(?:,\*?\w+)*;$/ ? $text =~ /\w+(?=[,;])/g : ();
	my ($new, $name, $value) = $text =~ /^((?:struct \w+|(?:raw_)?spinlock_t)\*)?(\w+)=(.+);$/;
	my ($i, $each, $vm, $called, $given) = $text =~ /^kvm_for_each_vcpu\((\w+),(\w+),(.+)\)$|^(\w+)$round;$/;
	my $unset = sub { ($env->{$_[0]} // 0) eq '' };
	if (@names && !grep { exists $env->{$_} } @names) {
		@$env{@names} = ('') x @names;
	} elsif ($name && ($new ? !exists $env->{$name} : !$loop && $unset->($name)) && value($value, $env) =~ /^(?:$vcpu|$lock|&$vcpu->arch(?:\.mp_state)?|`M)$/) {
		$env->{$name} = $&;
	} elsif ($each && !$loop && $i ne $each && $unset->($i) && $unset->($each) && value($vm, $env) eq '`M') {
		$shown{$loop = $env->{$each} = '`T' . ++$loops} = $each;
		did('for', $loop), block($env), did('done', $loop);
		$loop = $env->{$each} = '';
	} elsif ($does =~ /^if\((?:`C==`T\d+|`T\d+==`C)\)$/ && $did[-1][0] eq 'for' && $f->{text} =~ /\G\s*(?:continue\s*;|\{\s*continue\s*;\s*\})/gc) {
		did('skip', $loop);
	} elsif (my ($form) = grep { $does =~ $_->[1] && (!$+{flags} || $unset->($+{flags})) } @forms) {
		$does =~ $form->[1];
		my ($of, $opens, $flags) = ($+{of} // '', defined $+{block}, $+{flags} ? "$+{flags}$f->{line}" : '');
		my $kind = join '', $+{raw} // '', ($+{kind} // '') =~ s/restore/save/r, $flags;
		return did($form->[0], $of, $kind) if $form->[0] ne 'guard';
		did(@{$guards[@guards] = ['lock', $of, 'guard']});
		block($env, @guards - 1) if $opens;
	} elsif (!$called || !run($called, map { value($_, $env) } items($given))) {
		refuse($here);
	}
}

# walk: which locks are held where a state is written
sub walk {
	my ($before, @held) = '';
	for (@did) {
		my ($does, $of, $kind, $at) = @$_;
		my ($own, $last) = (scalar(grep { $_->[1] eq $of } @held), $held[-1]);
		my $under = $last ? "the mp_state_lock of '$shown{$last->[1]}'" : 'no mp_state_lock';
		push @held, $_ if $does eq 'lock';
		my $all = join ' ', map { @$_[1, 2] } @held;
		$before = $all if $does eq 'for';
		my $lost = $does eq 'done' ? $before ne $all : $does eq 'unlock' && (!$last || $last->[2] ne $kind || $last->[1] ne $of && $own);
		refuse({file => $at =~ s/:.*//r, line => $at =~ s/.*://r}, 'a lock is lost') if $lost;
		push @wrong, "$at: mp_state of '$shown{$of}' is written under $under" if $does eq 'write' && !$own;
		push @wrong, "$at: $under is taken, but that of '$shown{$of}' is released" if $does eq 'unlock' && !$own;
		pop @held if $does eq 'unlock';
	}
}

# comes_right: is what was done what a right reset does?
sub comes_right {
	local $_ = join '', map { "$_->[0]:$_->[1]:$_->[2] " } grep { $_->[0] ne 'nothing' } @did;
	# The event's statements may stand anywhere but in a loop.
	s/(for:.*?done:\S+ )|event:(\S+?): /$1 || (push(@events, $2), '')[1]/ge;
	return if "@events" !~ /^(?:exit_reason=\w+ )?system_event,/ || join(' ', sort @events) ne
		'exit_reason=KVM_EXIT_SYSTEM_EVENT system_event,0,sizeof system_event.data[0]=`reason system_event.ndata=1 system_event.type=`type';
	# Each vCPU is stopped under its lock, and told to sleep by itself or with all others.
	s/lock:([^:]+):(\S*) write:\1: ((?:ask:\1: kick:\1: )?)unlock:\1:\2 ((?:ask:\1: kick:\1: )?)/($3 || $4 ? 'asleep' : 'stop') . ":$1: "/ge;
	s/for:([^:]+): (?:(skip):\1: )?(stop|asleep):\1: done:\1: /"$3 " . ($2 ? 'others ' : 'all ')/ge, s/(stop|asleep):`C: /$1 self /g;
	return /^(?:(?:stop|asleep) \w+ )+request:: $|^(?:asleep \w+ )+$/ && /all|others.*self|self.*others/;
}

chdir shift;
chomp(my @files = `find include/linux/kvm_host.h $kvm $asm -name '*.[ch]' 2>/dev/null | sort`);
scan($_) for @files;
for my $file ("$kvm/Makefile", "$kvm/Kbuild") {
	my $line;
	++$line && s/\s*(#.*)?$//r !~ $makes && refuse({file => $file, line => $line}) for split /\n/, content($file);
}
# A macro of KVM's own makes no declaration.
for my $macro (map { @$_ } values %macros) {
	my $makes_one = qr/^(?!(?:static_assert|DE\w+_STATIC_KEY_\w+|DECLARE_BITMAP)\()[^=[]*\b$macro->{name}\b/;
	$_->{head} =~ $makes_one && refuse($_) for @{$mentions{$macro->{name}} // []};
}
my ($it) = @{$mentions{$reset}} = sort { !!$b->{body} <=> !!$a->{body} } @{$mentions{$reset} // []};
answer('unknown', "no $reset() is seen") unless $it && $it->{body};
for (@{$mentions{$reset}}) {
	$_->{head} =~ /^void $reset\(struct kvm_vcpu\*(\w+),struct kvm_run\*\w+,u32 \w+,u64 \w+\)$/ or refuse($_);
	$shown{'`C'} //= $1;
}
$shown{"`V$_"} = "vCPU $_" for 0 .. 99;
run($reset, qw(`C `R `type `reason)) ? walk() : refuse($it, 'there is another one');

my @writes = map { $_->[3] } writes();
my $judged = @writes ? '; ' . @writes . ' write' . ('s' x (@writes > 1)) . " judged: @{[map { s{.*/}{}r } @writes]}" : '';
my $fields = join ' ', ($text{"$asm/kvm_host.h"} // '') =~ /\b(?:struct\s+kvm_mp_state|(?:raw_)?spinlock_t|bool)\s+(mp_state|mp_state_lock|power_off)\s*;/g;
my ($here, $done) = ("$it->{file}:$it->{line}", join ' ', map { $_->[0] } @did);
my $no_lock = $fields eq 'power_off' && $done !~ /lock|mutex|write/ && !grep { /(?:state|power)\w*lock\b/ } values %text;
answer('not affected', "$writes[0]: there is no mp_state_lock (it came with v6.10)$judged") if $no_lock && $done =~ /power/;
answer('unknown', "$here: mp_state and mp_state_lock are not as they were") if $fields !~ /^mp_state mp_state_lock$|^mp_state_lock mp_state$/ || $done =~ /power/;
answer('vulnerable', "$wrong[0]$judged") if @wrong;
answer('fixed', "$writes[0]: each mp_state is written under its own mp_state_lock$judged") if comes_right();
answer('unknown', "$here: each statement is understood, but not what they come to");
