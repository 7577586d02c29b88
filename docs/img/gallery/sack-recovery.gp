# Draws sack-recovery.svg from sack-recovery.tsv: gnuplot sack-recovery.gp
if (!exists("out")) out = 'sack-recovery.svg'
data = 'sack-recovery.tsv'

set encoding utf8
set terminal svg size 800,430 noenhanced font 'sans-serif,13' background '#ffffff' rounded
large = ',15'
small = ',12'
set output out
set datafile separator '\t'
set border 3 lw 0.8 lc rgb '#444444'
set tics out nomirror scale 0.6 tc rgb '#333333'
set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back
set lmargin at screen 0.092500
set rmargin at screen 0.972500
set xrange [150:320]
set label 1 'Three losses repaired with SACK' at screen 0.092500,0.953488 left font large tc rgb '#111111'
set label 2 'client → server:5001' at screen 0.092500,0.911628 left font small tc rgb '#555555'

set tmargin at screen 0.837209
set bmargin at screen 0.139535
set yrange [10:170]
set label 3 'Sequence number (kB)' at screen 0.020000, graph 0.5 center rotate by 90 tc rgb '#111111'
set xlabel 'Time (ms)' offset 0,0.2
set format x '%g'
set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0
plot \
  data index 0 using 1:2 with steps lw 1.2 lc rgb '#00009e73' title 'ACK', \
  data index 1 using 1:2:(0):($3-$2) with vectors nohead lw 1.2 lc rgb '#00cc79a7' title 'SACK', \
  data index 2 using 1:2:(0):($3-$2) with vectors nohead lw 2 lc rgb '#000072b2' title 'data', \
  data index 3 using 1:2:(0):($3-$2) with vectors nohead lw 4 lc rgb '#00d55e00' title 'sent again', \
  data index 4 using 1:2 with points pt 2 ps 0.8 lw 1.5 lc rgb '#000000' title 'lost'
unset label
unset arrow
unset output
