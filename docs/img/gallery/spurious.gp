# Draws spurious.svg from spurious.tsv: gnuplot spurious.gp
if (!exists("out")) out = 'spurious.svg'
data = 'spurious.tsv'

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
set xrange [100:300.49808]
set label 1 'Late, not lost: sent again without need' at screen 0.092500,0.964912 left font large tc rgb '#111111'
set label 2 'client → server:5001' at screen 0.092500,0.933333 left font small tc rgb '#555555'
set multiplot

set tmargin at screen 0.877193
set bmargin at screen 0.526316
set arrow 1 from first 232.45904, graph 0 to first 232.45904, graph 1 nohead lw 1 dt (3,4) lc rgb '#666666'
set label 10 'not lost' at first 232.45904, graph 0.95 left offset 0.6,0 font small tc rgb '#333333'
set yrange [0:130]
set label 3 'Window (segments)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel '' offset 0,0.2
set format x ''
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:(0):1:2:(0):(130) with boxxyerror fs transparent solid 0.14 noborder fc rgb '#009e73' title 'slow start', \
  data index 1 using 1:(0):1:2:(0):(130) with boxxyerror fs transparent solid 0.35 noborder fc rgb '#e69f00' title 'recovery', \
  data index 2 using 1:2 with steps lw 1.5 lc rgb '#000072b2' title 'cwnd'
unset label
unset arrow

set tmargin at screen 0.456140
set bmargin at screen 0.105263
set arrow 1 from first 232.45904, graph 0 to first 232.45904, graph 1 nohead lw 1 dt (3,4) lc rgb '#666666'
set yrange [0:200]
set label 3 'Sequence number (kB)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (ms)' offset 0,0.2
set format x '%g'
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 3 using 1:2 with steps lw 1.2 lc rgb '#00009e73' title 'ACK', \
  data index 4 using 1:2:(0):($3-$2) with vectors nohead lw 1.2 lc rgb '#00cc79a7' title 'SACK', \
  data index 5 using 1:2:(0):($3-$2) with vectors nohead lw 3 lc rgb '#00882255' title 'D-SACK', \
  data index 6 using 1:2:(0):($3-$2) with vectors nohead lw 2 lc rgb '#000072b2' title 'data', \
  data index 7 using 1:2:(0):($3-$2) with vectors nohead lw 4 lc rgb '#00d55e00' title 'sent again'
unset label
unset arrow
unset multiplot
unset output
