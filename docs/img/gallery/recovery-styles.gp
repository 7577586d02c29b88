# Draws recovery-styles.svg from recovery-styles.tsv: gnuplot recovery-styles.gp
if (!exists("out")) out = 'recovery-styles.svg'
data = 'recovery-styles.tsv'

set encoding utf8
set terminal svg size 800,664 noenhanced font 'sans-serif,13' background '#ffffff' rounded
large = ',15'
small = ',12'
set output out
set datafile separator '\t'
set border 3 lw 0.8 lc rgb '#444444'
set tics out nomirror scale 0.6 tc rgb '#333333'
set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back
set lmargin at screen 0.092500
set rmargin at screen 0.972500
set xrange [0:14]
set label 1 'The same losses, three recoveries' at screen 0.092500,0.969880 left font large tc rgb '#111111'
set multiplot

set tmargin at screen 0.888554
set bmargin at screen 0.662651
set yrange [0:200]
set label 3 'Window (segments)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set label 4 'Tahoe' at screen 0.092500,0.933735 left tc rgb '#111111'
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:(0):1:2:(0):(200) with boxxyerror fs transparent solid 0.14 noborder fc rgb '#009e73' title 'slow start', \
  data index 1 using 1:(0):1:2:(0):(200) with boxxyerror fs transparent solid 0.35 noborder fc rgb '#d55e00' title 'loss', \
  data index 2 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'cwnd', \
  data index 3 using 1:2 with steps lw 1.5 lc rgb '#00d55e00' dt (6,5) title 'ssthresh', \
  data index 4 using 1:(5) with points pt 2 ps 0.5 lw 1.5 lc rgb '#000000' title 'lost'
unset label
unset arrow

set tmargin at screen 0.602410
set bmargin at screen 0.376506
set yrange [0:200]
set label 3 'Window (segments)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set label 4 'Reno' at screen 0.092500,0.617470 left tc rgb '#111111'
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 5 using 1:(0):1:2:(0):(200) with boxxyerror fs transparent solid 0.14 noborder fc rgb '#009e73' notitle, \
  data index 6 using 1:(0):1:2:(0):(200) with boxxyerror fs transparent solid 0.35 noborder fc rgb '#e69f00' title 'recovery', \
  data index 7 using 1:(0):1:2:(0):(200) with boxxyerror fs transparent solid 0.35 noborder fc rgb '#d55e00' notitle, \
  data index 8 using 1:2 with steps lw 1.5 lc rgb '#000072b2' notitle, \
  data index 9 using 1:2 with steps lw 1.5 lc rgb '#00d55e00' dt (6,5) notitle, \
  data index 10 using 1:(5) with points pt 2 ps 0.5 lw 1.5 lc rgb '#000000' notitle
unset label
unset arrow

set tmargin at screen 0.316265
set bmargin at screen 0.090361
set yrange [0:200]
set label 3 'Window (segments)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (s)' offset 0,0.2
set label 4 'NewReno' at screen 0.092500,0.331325 left tc rgb '#111111'
set format x '%g'
unset key
plot \
  data index 11 using 1:(0):1:2:(0):(200) with boxxyerror fs transparent solid 0.14 noborder fc rgb '#009e73' notitle, \
  data index 12 using 1:(0):1:2:(0):(200) with boxxyerror fs transparent solid 0.35 noborder fc rgb '#e69f00' notitle, \
  data index 13 using 1:2 with steps lw 1.5 lc rgb '#000072b2' notitle, \
  data index 14 using 1:2 with steps lw 1.5 lc rgb '#00d55e00' dt (6,5) notitle, \
  data index 15 using 1:(5) with points pt 2 ps 0.5 lw 1.5 lc rgb '#000000' notitle
unset label
unset arrow
unset multiplot
unset output
