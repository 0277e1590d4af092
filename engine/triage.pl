# SPDX-License-Identifier: GPL-2.0-only
# perl triage.pl DIR: what the system reset does in the kernel files of DIR, printed as
# "verdict<TAB>why<TAB>number of writes".
#
# Contract: the answer is "fixed" or "vulnerable" only if each statement of the reset, and of
# every function that it calls, is one that statement() knows, and if KVM's own files leave
# the names in them alone: no macro, no second definition, no condition, no compiler flag.
# All else is "unknown", with the line. Other headers of asm/ may not define these names
# either; apart from that, they and what is not in DIR are taken to be upstream's.
#
# How: scan() notes what a file defines. run() goes through a function, and statement() notes
# in @did what each statement does, and to which vCPU. walk() looks for writes without their
# lock. What is left after that must come to a reset as upstream has it.
use strict; use warnings;
my ($kvm, $asm, $reset) = qw(arch/riscv/kvm arch/riscv/include/asm kvm_riscv_vcpu_sbi_system_reset);
my $ours = qr{^$kvm|^arch/.*/kvm[^/]*$};
my $round = qr/(\((?:[^()]++|(?-1))*+\))/;
my $curly = qr/(\{(?:[^{}]++|(?-1))*+\})/;
my $string = qr/"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'/;
# names that KVM for RISC-V must not declare, and macros with what they must be
my $upstream = qr/^(?:(?:raw_)?spin_\w+|mutex_\w+|WRITE_ONCE|(?:scoped_)?guard|(?:raw_)?spinlock(?:_(?!t$)\w+)?|
	lockdep_\w+|kvm_(?:for_each|get)_vcpu|atomic_read|kvm_make_\w+|kvm_vcpu_kick)$/x;
my %macro = (
	memset => qr/^\(\w+,\w+,\w+\)__memset\(/,
	KVM_REQ_SLEEP => qr/^ KVM_ARCH_REQ(?:\(0\)|_FLAGS\(0,[A-Z_|]+\))$/,
	kvm_for_each_vcpu => qr/^\(idx,vcpup,kvm\)(?:if\(atomic_read\(&kvm->online_vcpus\)\))?
		xa_for_each_range\(&kvm->vcpu_array,idx,vcpup,0,\(atomic_read\(&kvm->online_vcpus\)-1\)\)$/x,
);
# names that the kernel's macros for the statements below may come to
my $inner = qr/^(?!__lelong$)(?!(?!KVM_(?:ARCH_REQ|REQUEST)).*kvm)(?:_|[a-z\d]+$|(?:raw|arch|local|debug|spin\w*|mutex|preempt|softirq|
	lock\w*|xa|atomic|class|guard|scoped|write|read|compiletime|fortify\w*|build|bug|warn\w*|do|trace_hardirqs|ftrace|
	instrumentation|dynamic|dep|online|vcpu_array|riscv_(?:short|int|ptr)|bugflag|kvm_arch_req|kvm_request)(?:_|$))/xi;
# lines of the Makefile: conditions, lists of files, and the two others that upstream has
my $makes = qr{^(?:(?:ifn?(?:def|eq)|else|endif)\b.*|(?:[\w-]|\$\(\w+\))*[ ]*(?:[:+?]?=)?(?:[ \w/.]|(?<=\w)-(?=\w)|\$\(\w+\))*\\?|
	ccflags-y[ ]*\+=[ ]*-I[ ]?(?:\$\(srctree\)/)?\$\(src\)|include[ ]*\$\(srctree\)/virt/kvm/Makefile\.kvm)$}x;
# In a statement, variables stand as what they are: `C is the calling vCPU, `T1 the one of the
# first loop, `V0 that of index 0, `M the VM, `R the run page, `type and `reason the arguments.
my $vcpu = qr/(?<of>`(?:C|[TV]\d+))/;
my ($how, $lock, $field, $to) = (qr/(?<kind>|_bh|_irq|_irqsave|_irqrestore)/, qr/&$vcpu->arch\.mp_state_lock/, qr/$vcpu->arch\.mp_state\.mp_state/, qr/KVM_MP_STATE_(?:STOPPED|(?<kind>\w+))/);
my @forms = ( # what a known statement does, and to what
	[nothing => qr/^(?:\(void\)[\w`]+|lockdep_assert_held(?:_once)?\($lock\))?;$/],
	[lock => qr/^(?<raw>raw_)?spin_lock$how\($lock(?<flags>,\w+)?\);$/],
	[unlock => qr/^(?<raw>raw_)?spin_unlock$how\($lock(?<flags>,\w+)?\);$/],
	[guard => qr/^guard\((?:raw_)?spinlock$how\)\($lock\);$|^scoped_guard\((?:raw_)?spinlock$how,$lock\)(?<block>)$/],
	[write => qr/^WRITE_ONCE\($field,$to\);$|^$field(?<raw>[|&^])?=$to;$/],
	[power => qr/^$vcpu->arch\.power_off=true;$/],
	[request => qr/^kvm_make_all_cpus_request\(`M,KVM_REQ_SLEEP\);$/],
	[ask => qr/^kvm_make_request\(KVM_REQ_SLEEP,$vcpu\);$/],
	[kick => qr/^kvm_vcpu_kick\($vcpu\);$/],
	[event => qr/^memset\(&`R->(?<of>system_event,0,sizeof)\(`R->system_event\)\);$|^`R->(?<of>(?:system_event\.(?:type|ndata|flags|data\[0\])|exit_reason)=[`\w]+);$/],
	[mutex => qr/^mutex_(?:un)?lock\(&`M->lock\);$/],
);
my (%text, %defined, %macros, %mentions, %shown, @did, @guards, @wrong, @events, $loop, $loops, $place);

sub answer { print join("\t", @_, scalar grep { $_->[0] =~ /^(?:write|power)/ } @did), "\n"; exit }
# refuse FILE LINE [WHY]: the answer is unknown because of this line
sub refuse {
	my ($file, $line, $why) = (@_, 'not understood');
	answer('unknown', "$file:$line: $why: " . (((split /\n/, content($file) // '')[$line - 1] // '') =~ s/[^!-~]+/ /gr =~ s/^ | $//gr), @did = ());
}
sub content { open my $in, '<', $_[0] or return; return join '', <$in> }
sub norm { $_[0] =~ s/\s+/ /gr =~ s/ ?([^\w ]) ?/$1/gr }
sub lines { scalar $_[0] =~ tr/\n// }
sub items { my $list = substr $_[0], 1, -1; my @items; push @items, $1 while $list =~ /\G,?((?:[^(),]++|$round)++)/g; return @items }
sub did { push @did, [@_[0, 1], $_[2] // '', $place] }

# scan FILE: the macros that it defines and, if it is KVM's, what it declares outside functions
sub scan {
	my ($file) = @_;
	my ($own, $dir, $line, $if, $at, $seen) = (scalar $file =~ $ours, $file =~ m{(.*/)}, 1, 0, 1, 0);
	my $text = content($file) // refuse($file, 1);
	# Joined lines and comments go, strings become "". For each newline that went, one is put
	# at the end of the line, so that all others keep their number.
	my $gone = sub { $text =~ s/^([^\n\0]*\0.*)/my $joined = $1; my $lines = $joined =~ tr{\0}{}d; $joined . "\n" x $lines/gme };
	$text =~ tr/\0/\x80/;
	$text =~ s/\\[^\S\n]*\n/\0/g && $gone->();
	$text =~ s{($string)|/\*(.*?)\*/|//[^\n]*}{$1 // ' ' . "\0" x lines($2 // '')}gse && $gone->();
	# A directive becomes "#if;", "#endif;" or "#;".
	$text =~ s{^[^\S\n]*#[^\S\n]*(\w*)(.*)}{
		my ($name, $rest) = ($1, norm($2));
		$at += lines(substr $text, $seen, $-[0] - $seen);
		$seen = $-[0];
		if ($name =~ /^(?:define|undef)$/ && $rest =~ /^ (\w+)(.*)/) {
			push @{$defined{$1}}, my $macro = {file => $file, line => $at, head => $2, name => $1};
			push @{$macros{$file =~ /c$/ ? $file : 'headers'}}, $macro if $own;
		}
		my $known = $name eq 'include' ? $rest =~ m{^(?:<[\w-]+(?:/[\w-]+)*\.h>|"([\w-]+\.h)")$} && (!defined $1 || -e "$dir$1") :
			$name =~ /^(?:define|undef|if|ifdef|ifndef|elif|else|endif|error|)$/;
		refuse($file, $at) if $own && (!$known || $rest =~ /^ \w*\\/);
		'#' . ($name =~ /^if/ ? 'if' : $name eq 'endif' ? $name : '') . ';'}gme;
	return if !$own;
	$text =~ s/$string/""/g;
	refuse($file, 1 + lines(substr $text, 0, $-[0])) if $text =~ /<[:%]|[:%]>|%:|R"|\b(?:_Pragma|\w*PASTE|CONCATENATE)\b|[\\'\$`\x80-\xff]/;
	# What is around all of a header is no condition.
	refuse($file, 1) if $text =~ s/\A(\s*)#if;(\s*#;.*)#endif;\s*\z/$1$2/s && $file !~ /\.h$/;
	$text{$file} = $text;
	while ($text =~ /\G([^{};]*+)(?:;|$curly)/gc) {
		my ($all, $head, $body) = ($&, $1, $2);
		my $it = {file => $file, if => $if, body => $body, line => $line + lines($head), head => norm($head) =~ s/^ | $//gr};
		$if += (() = $all =~ /#if;/g) - (() = $all =~ /#endif;/g);
		$if = 99 if $if < 0;
		$line += lines($all);
		refuse($file, $it->{line}) if $it->{head} =~ /\b_*asm_*\b/;
		push @{$mentions{$_}}, $it for $it->{head} =~ /\w+/g;
	}
	refuse($file, $line) if $text =~ /\G\s*\S/;
}

# value TEXT ENV: an expression or statement, with what the variables are at this point
sub value {
	my ($env, $chain) = ($_[1], qr/[\w`]+(?:(?:->|\.)\w+)*/);
	local $_ = norm($_[0]);
	s/(?<![\w.])(?<!->)([a-z_]\w*)/$env->{$1} ? "($env->{$1})" : $1/gie;
	1 while s/(?<![\w)\]])\(($chain)\)(?=->|[.,;)=[]|$)/$1/ || s/(?<=[(,=])\((&$chain)\)(?=[,)]|$)/$1/ || s/(?<![\w)\]])\(&($chain)\)->/$1./ ||
		s/$vcpu->kvm\b/`M/ || s/kvm_get_vcpu\(`M,(0|[1-9]\d?)\)/`V$1/ || s/^\((&?$chain)\)$/$1/;
	return $_;
}

# only FUNCTION NAME: refuse it if a name in it may mean something else than we take it for
sub only {
	my ($f, $name) = @_;
	for my $word ($name, "$f->{head}$f->{body}" =~ /\w+/g, qw(xa_for_each_range online_vcpus vcpu_array spinlock)) {
		my @others = grep { !$macro{$word} || $_->{head} !~ $macro{$word} } @{$defined{$word} // []};
		push @others, @{$mentions{$word} // []} if $word =~ $upstream;
		refuse($_->{file}, $_->{line}, "another '$word'") for @others;
	}
	for (map { @{$macros{$_} // []} } $f->{file}, 'headers') {
		refuse($_->{file}, $_->{line}, "'$_->{name}' may be in the kernel's macros") if $_->{name} =~ $inner;
	}
}

# run NAME ARGUMENT...: go through a function, if there is just one of that name
sub run {
	my ($name, @values) = @_;
	my ($f, @more) = grep { $_->{body} } my @all = @{$mentions{$name} // []};
	return if !$f || @more || $f->{if} || $f->{busy};
	my $declared = qr/^(?:(?:static|inline|__always_inline|noinline|extern) )*void $name$round$|^EXPORT_SYMBOL_GPL\($name\)$/;
	for (@all) { $_->{head} =~ $declared or refuse($_->{file}, $_->{line}) }
	only($f, $name);
	my %env = (' ' => $f);
	for (items($f->{head} =~ s/^[^(]*//r)) {
		my ($type, $parameter) = /^(struct \w+\*|(?:raw_)?spinlock_t\*|u(?:32|64) )(\w+)$/ or return;
		# Nothing else is done in a list of arguments, and no value is cut short.
		my $value = shift(@values) // return;
		return if $value !~ /^(?:`\w+|$lock|&$vcpu->arch|[A-Z_\d]+)$/ || $value eq '`reason' && $type ne 'u64 ';
		$env{$parameter} = $value;
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

# statement ENV: note down what it does, or give up
sub statement {
	my ($env, $f) = ($_[0], $_[0]{' '});
	my $line = $f->{line} + lines(substr $f->{text}, 0, $f->{text} =~ /\G\s*/gc && pos $f->{text});
	$place = "$f->{file}:$line" if $f == $mentions{$reset}[0];
	return block($env) if $f->{text} =~ /\G(?=\{)/gc;
	my $text = $f->{text} =~ /\G((?:kvm_for_each_vcpu|if|scoped_guard)\s*$round|[^{};]*+;)/gc ? norm($1) : '';
	local $_ = my $does = value($text, $env);
	my @names = $text =~ /^(?:unsigned (?:long|int)|unsigned|int|long|struct kvm_vcpu)(?: |\*)\w+(?:,\*?\w+)*;$/ ? $text =~ /\w+(?=[,;])/g : ();
	my ($new, $name, $value) = $text =~ /^((?:struct \w+|(?:raw_)?spinlock_t)\*)?(\w+)=(.+);$/;
	my ($i, $each, $vm, $called, $given) = $text =~ /^kvm_for_each_vcpu\((\w+),(\w+),(.+)\)$|^(\w+)$round;$/;
	my $unset = sub { ($env->{$_[0]} // 0) eq '' };
	if (@names && !grep { exists $env->{$_} } @names) { @$env{@names} = ('') x @names }
	elsif ($name && ($new ? !exists $env->{$name} : !$loop && $unset->($name)) && value($value, $env) =~ /^(?:$vcpu|$lock|&$vcpu->arch|`M)$/) {
		$env->{$name} = $&;
	} elsif ($each && !$loop && $i ne $each && $unset->($i) && $unset->($each) && value($vm, $env) eq '`M') {
		$shown{$loop = $env->{$each} = '`T' . ++$loops} = $each;
		did('for', $loop), block($env), did('done', $loop);
		$loop = $env->{$each} = '';
	} elsif (/^if\((?:`C==`T\d+|`T\d+==`C)\)$/ && $did[-1][0] eq 'for' && $f->{text} =~ /\G\s*(?:continue\s*;|\{\s*continue\s*;\s*\})/gc) {
		did('skip', $loop);
	} elsif (my ($form) = grep { $does =~ $_->[1] } @forms) {
		my ($of, $opens, $kind) = /$form->[1]/ && ($+{of} // '', defined $+{block}, join '', map { $_ // '' } @+{qw(raw kind flags)});
		return did($form->[0], $of, $kind =~ s/restore/save/r) if $form->[0] ne 'guard';
		did(@{$guards[@guards] = ['lock', $of, 'guard']});
		block($env, @guards - 1) if $opens;
	} elsif (!$called || !run($called, map { value($_, $env) } items($given))) { refuse($f->{file}, $line) }
}

# walk: which locks are held where a state is written
sub walk {
	my ($before, @held) = '';
	for (@did) {
		my ($does, $of, $kind, $at) = @$_;
		my ($holds, $last) = (scalar(grep { $_->[1] eq $of } @held), @held ? $held[-1][1] : '');
		push @held, $_ if $does eq 'lock';
		my $all = join ' ', map { @$_[1, 2] } @held;
		$before = $all if $does eq 'for';
		refuse(split(/:/, $at), 'a lock is lost') if $does eq 'done' && $before ne $all || $does eq 'unlock' && (!@held || $held[-1][2] ne $kind || $last ne $of && $holds);
		push @wrong, "$at: mp_state of '$shown{$of}' is written under " . ($last ? "the mp_state_lock of '$shown{$last}'" : 'no mp_state_lock') if $does eq 'write' && !$holds;
		push @wrong, "$at: the mp_state_lock of '$shown{$last}' is taken, but that of '$shown{$of}' is released" if $does eq 'unlock' && !$holds;
		pop @held if $does eq 'unlock';
	}
}

chdir shift; scan($_) for grep { chomp; 1 } `find include/linux/kvm_host.h $kvm $asm -name '*.[ch]' 2>/dev/null | sort`;
for my $file ("$kvm/Makefile", "$kvm/Kbuild") {
	my $line;
	for (split /\n/, content($file) // '') { $line++; s/\s*(#.*)?$//r =~ $makes or refuse($file, $line) }
}
# A macro of KVM's own makes no declaration.
for my $name (map { $_->{name} } map { @$_ } values %macros) {
	for (@{$mentions{$name} // []}) {
		refuse($_->{file}, $_->{line}) if $_->{head} !~ /^(?:static_assert|DE\w+_STATIC_KEY_\w+|DECLARE_BITMAP)\(/ && $_->{head} =~ /^[^=[]*\b$name\b/;
	}
}
my ($it) = @{$mentions{$reset}} = sort { !!$b->{body} <=> !!$a->{body} } @{$mentions{$reset} // []};
answer('unknown', "no $reset() is seen") unless $it && $it->{body};
$shown{"`V$_"} = "vCPU $_" for 0 .. 99;
for (@{$mentions{$reset}}) { $_->{head} =~ /^void $reset\(struct kvm_vcpu\*(\w+),struct kvm_run\*\w+,u32 \w+,u64 \w+\)$/ ? $shown{'`C'} //= $1 : refuse($_->{file}, $_->{line}) }
run($reset, qw(`C `R `type `reason)) ? walk() : refuse($it->{file}, $it->{line}, 'there is another one');
my ($first, @more) = grep { $_->[0] =~ /^(?:write|power)/ } @did;
my $judged = $first ? '; ' . (@more + 1) . " write@{['s' x !!@more]} judged: " . join ' ', map { $_->[3] =~ s{.*/}{}r } $first, @more : '';
my $fields = join ' ', ($text{"$asm/kvm_host.h"} // '') =~ /\b(?:struct\s+kvm_mp_state|(?:raw_)?spinlock_t|bool)\s+(mp_state|mp_state_lock|power_off)\s*;/g;
$_ = join '', map { "$_->[0]:$_->[1]:$_->[2] " } grep { $_->[0] ne 'nothing' } @did;
answer('not affected', "$first->[3]: there is no mp_state_lock (it came with v6.10)$judged") if $fields eq 'power_off' && /power:/ && !/lock:|mutex:|write:/ && !grep { /\bmp_state_lock\b/ } values %text;
answer('unknown', "$it->{file}:$it->{line}: mp_state and mp_state_lock are not as they were") if $fields !~ /^mp_state mp_state_lock$|^mp_state_lock mp_state$/ || /power:/;
answer('vulnerable', "$wrong[0]$judged") if @wrong;
s/(for:.*?done:\S+ )|event:(\S+?): /$1 || (push(@events, $2), '')[1]/ge;
s/lock:([^:]+):(\S*) write:\1: ((?:ask:\1: kick:\1: )?)unlock:\1:\2 ((?:ask:\1: kick:\1: )?)/($3 || $4 ? 'asleep' : 'stop') . ":$1: "/ge;
s/for:([^:]+): (?:(skip):\1: )?(stop|asleep):\1: done:\1: /"$3 " . ($2 ? 'others ' : 'all ')/ge, s/(stop|asleep):`C: /$1 self /g;
answer('fixed', "$first->[3]: each mp_state is written under its own mp_state_lock$judged") if /^(?:(?:stop|asleep) \w+ )+request:: $|^(?:asleep \w+ )+$/ && /all|others.*self|self.*others/ &&
	"@events" =~ /^(?:exit_reason=\w+ )?system_event,/ && join(' ', sort @events) eq
	'exit_reason=KVM_EXIT_SYSTEM_EVENT system_event,0,sizeof system_event.data[0]=`reason system_event.ndata=1 system_event.type=`type';
answer('unknown', "$it->{file}:$it->{line}: each statement is understood, but not what they come to");
