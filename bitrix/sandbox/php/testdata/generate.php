<?php
// Writes golden.json: what PHP itself makes of the inputs below. The tests
// compare the sandbox with it, so that they need no PHP. Run it again, with
// "php generate.php >golden.json", after adding an input.

$queries = [
    'a=1', 'a', 'a=', '=1', '&&a=1&', 'a=1&a=2', 'a=1=2', 'a+b=c+d', 'a%20b=%2B', 'a.b=1', 'a.b[c.d]=1', 'a b[c d]=1',
    ' a=1', '%20%20a=1', 'a[]=1&a[]=2', 'a[b]=1&a[c]=2', 'a[b][c]=1&a[b][d]=2', 'a[b][]=1&a[b][]=2', 'a=1&a[b]=2', 'a[b]=1&a=2',
    'a[b]=1&a[b][c]=2', 'a[5]=x&a[]=y', 'a[05]=x&a[]=y', 'a[-3]=x&a[]=y', 'a[-3]=x&a[z]=1&a[]=y&a[]=y', 'a[-1]=x&a[]=y', 'a[-0]=x&a[]=y', 'a[9]=x&a[3]=y&a[]=z', 'a[x]=1&a[]=2&a[0]=3',
    'a[b=1', 'a[b[c=1', 'a[b.c d[e=1', 'a.b[c=1', 'a[b][c=1', 'a[b]c=1', 'a[b]c[d]=1', 'a]b=1', 'a[b]]=1', 'a[[b]=1', 'a[[b]]=1', '[a]=1', '[=1', '[]=1', ']=1',
    'a[ ]=1', 'a[ b]=1', 'a[b ]=1', 'a[%09]=1', 'a[  ]=1', '%5B=1', 'a%5Bb%5D=1', 'a[b%5Dc]=1', 'a[%5B]=1', 'a%00b=1', 'a[b%00c]=1',
    'a=%00b', 'a=%zz', 'a=%4', 'a=%', '%=1', 'a=%e2%82%ac', 'a=€', 'a=%2525', "a=\t", 'a=b;c=d', 'a[]=1&a[b]=2&a[]=3',
    'id=4&fields[title]=T&fields[settings][a.b]=1&fields[settings][x y]=2&fields[active]=1', 'fields[settings][0]=a&fields[settings][1]=b',
    'a[b][c][d][e][f][g]=1', 'a' . str_repeat('[b]', 64) . '=1&z=1', 'a' . str_repeat('[b]', 65) . '=1&z=1', '0=a&1=b', '1=a', '01=a',
    'a[9223372036854775807]=x', 'a[9223372036854775808]=x', '+=1', '.=1', '_=1', 'a..b=1', 'a[b].c=1', 'a.b.c[d].e=1', 'a [b]=1',
    'a&b=2', 'filter[@id][]=4&filter[@id][]=6', 'filter[%40id][0]=4&filter[>=id]=5', 'cmd[a]=b%3Fc%3Dd%26e%5Bf%5D%3Dg',
    // what commands for connectors and tables look like
    'fields[settings][0][code]=a&fields[settings][0][name]=A&fields[settings][1][code]=b&fields[sort]=200',
    'fields[fields][0][name]=ID&fields[fields][0][type]=int&fields[fields][2][name]=X&fields[sourceId]=$result[c][id]',
    'id=20&update[0][id]=5&update[0][visible]=0&delete[]=7&delete[]=8', 'filter[>=id]=1&filter[<id]=51&filter[=name]=a%5fb&order[id]=ASC',
    'fields[fields][]=a&fields[fields][name]=b', 'fields=x&fields[a]=y', 'a[b][]=1&a[b]=2',
];

$numbers = ['4', ' 4', '4 ', '4.0', '4.9', '4x', 'x', '', ' ', '+4', '-4', '0', '04', '0x4', '4e2', '4e', '.5', '5.', '.', '1_000', 'INF', 'NAN',
    '99999999999999999999', '1e1', '0x1A', '1e400', '-1e400', ' 12', '12 ', "4\n", "\x0b4", "4\x00", 4, 4.7, -1, 0, true, false, null];

$jsons = ['{"a":{"0":1,"1":2}}', '{"a":{"1":1,"0":2}}', '{"a":{}}', '{"a":[]}', '{"0":"x"}', '[1,[2,{"3":4}]]', '"a\/b\u00e9\u2028\u0001\t\"\\\\"',
    '1.0', '1.5', '0.1', '1e25', '-0.0', '123456789012345678', '12345678901234567890', '{"a":1,"b":2,"a":3}', 'true', 'null', '1725365418.056843',
    '1e-7', '100000.25', '1e14', '1e15', '1e16', '1e17', '1e18', '-1e18', '0.0001', '0.00001', '0.30000000000000004', '1.5e300', '123456789012345.678', '{"":1}', '"\ud83d\ude00"',
    '{"fields":[{"name":"ID"}],"1":{}}', '"\u0000"', '"\u007f"', '{"a":{"5":1,"6":2}}', '{"a":{"0":1,"01":2}}', '1E5', '-0', '[[],{}]'];

// Texts that json_decode refuses.
$refused = ['', '{', '{}x', '{} {}', '"', '[1,]', "\"\xff\"", '"\ud83d"', '"\ude00"', '"\ud83dx"', '"\ud83d\ud83d"', "\"\t\"", '01', '+1', '.5', 'nul', "{'a':1}", '{"a":1,}', '"\x"'];

// Bytes that are not UTF-8, and what json_encode makes of them.
$bytes = ["\xcf\xf0", "a\xe2\x82", "\xe2\x82\xac", "\xf0\x9f\x9a\x80", "\xf0\x9f\x9a", "\xc0\x80", "a\xffb"];

$empties = ['""', '"0"', '"00"', '" "', '0', '0.0', '"0.0"', 'null', 'false', '[]', '{}', '"a"', '1', '[0]', '"false"', '"N"', '"true"'];

$out = ['query' => [], 'numeric' => [], 'json' => [], 'empty' => [], 'trim' => []];
ini_set('serialize_precision', '-1');
$flags = JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR;
foreach ($queries as $q) {
    @parse_str($q, $a);
    $out['query'][] = [$q, json_encode($a, $flags)];
}
foreach ($numbers as $n) {
    $out['numeric'][] = [$n, is_numeric($n) ? (int)$n : null];
}
foreach ($jsons as $j) {
    $out['json'][] = [$j, json_encode(json_decode($j, true), $flags)];
}
foreach ($refused as $j) {
    json_decode($j, true);
    $out['refused'][] = [base64_encode($j), json_last_error() !== JSON_ERROR_NONE];
}
foreach ($bytes as $b) {
    $out['bytes'][] = [base64_encode($b), json_encode($b, $flags | JSON_INVALID_UTF8_SUBSTITUTE)];
}
foreach ($empties as $j) {
    $v = json_decode($j, true);
    $out['empty'][] = [$j, empty($v)];
}
foreach (["<b> & \"q\" 'a' \u{e9}"] as $t) {
    $out['escape'][] = [$t, htmlspecialchars($t, ENT_COMPAT, 'UTF-8')];
}
foreach ([" \t\n\r\x00\x0ba b\x0b ", "\u{a0}a\u{a0}", "\x0ca\x0c", "\u{2003}a"] as $s) {
    $out['trim'][] = [$s, trim($s)];
}
echo json_encode($out, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
