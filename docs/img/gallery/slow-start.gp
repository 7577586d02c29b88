# Draws slow-start.svg from slow-start.tsv: gnuplot slow-start.gp
if (!exists("out")) out = 'slow-start.svg'
data = 'slow-start.tsv'

set encoding utf8
set terminal svg size 800,570 noenhanced font 'sans-serif,13' background '#ffffff' rounded
large = ',15'
small = ',12'
set output out
set datafile separator '\t'
set border 3 lw 0.8 lc rgb '#444444'
set tics out nomirror scale 0.6 tc rgb '#333333'
set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back
set lmargin at screen 0.092500
set rmargin at screen 0.972500
set xrange [200:640]
set label 1 'Slow start: 10, 20, 40, 80 segments' at screen 0.092500,0.964912 left font large tc rgb '#111111'
set label 2 'client → server:5001' at screen 0.092500,0.933333 left font small tc rgb '#555555'
set multiplot

set tmargin at screen 0.877193
set bmargin at screen 0.526316
set yrange [0:180]
set label 3 'Window (segments)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:(0):1:2:(0):(180) with boxxyerror fs transparent solid 0.14 noborder fc rgb '#009e73' title 'slow start', \
  data index 1 using 1:2 with steps lw 3 lc rgb '#0056b4e9' title 'in flight', \
  data index 2 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'cwnd'
unset label
unset arrow

set tmargin at screen 0.456140
set bmargin at screen 0.105263
set yrange [0:240]
set label 3 'Sequence number (kB)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (ms)' offset 0,0.2
set format x '%g'
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 3 using 1:2 with steps lw 1.2 lc rgb '#00009e73' title 'ACK', \
  data index 4 using 1:2:(0):($3-$2) with vectors nohead lw 2 lc rgb '#000072b2' title 'data'
unset label
unset arrow
unset multiplot
unset output
