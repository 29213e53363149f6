package org.slotwise.benchmark;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.slotwise.benchmark.Results.Row;

/**
 * Draws how time grows with N and with K: one picture for each module and number of threads.
 * Arguments: a CSV file of {@link Speed} with the sizes n and k, and the folder of the pictures.
 */
final class Plot {

    /** Colours that those who are colour-blind can tell apart (Okabe and Ito), with own marks. */
    private record Look(int colour, Marker marker) {}

    private static final Map<String, Look> LOOKS = new LinkedHashMap<>();

    static {
        LOOKS.put("library", new Look(0x0072B2, SeriesMarkers.CIRCLE));
        LOOKS.put("plain", new Look(0xD55E00, SeriesMarkers.SQUARE));
        LOOKS.put("plain-noopt", new Look(0xE69F00, SeriesMarkers.DIAMOND));
        LOOKS.put("eager", new Look(0x009E73, SeriesMarkers.TRIANGLE_UP));
        LOOKS.put("compile", new Look(0xCC79A7, SeriesMarkers.TRIANGLE_DOWN));
        LOOKS.put("sklearn-1", new Look(0xD55E00, SeriesMarkers.SQUARE));
        LOOKS.put("sklearn", new Look(0xE69F00, SeriesMarkers.DIAMOND));
        LOOKS.put("sklearn-images", new Look(0x009E73, SeriesMarkers.TRIANGLE_UP));
    }

    private Plot() {}

    public static void main(String[] args) throws IOException {
        draw(Results.read(Path.of(args[0])), Path.of(args[1]));
    }

    static void draw(Results results, Path folder) throws IOException {
        System.setProperty("java.awt.headless", "true");
        Map<String, List<Row>> pictures =
                results.rows().stream()
                        .filter(row -> row.size().name().startsWith("over "))
                        .collect(
                                Collectors.groupingBy(
                                        row -> row.module() + "-" + row.threads(),
                                        TreeMap::new,
                                        Collectors.toList()));
        for (Map.Entry<String, List<Row>> picture : pictures.entrySet()) {
            Map<String, List<Row>> charts =
                    picture.getValue().stream()
                            .collect(
                                    Collectors.groupingBy(
                                            row -> row.pass() + ", " + row.size().name(),
                                            LinkedHashMap::new,
                                            Collectors.toList()));
            List<XYChart> drawn = new ArrayList<>();
            for (String pass : List.of("inference", "forward+backward")) {
                for (String sweep : List.of("over N", "over K")) {
                    List<Row> rows = charts.get(pass + ", " + sweep);
                    if (rows != null) {
                        drawn.add(chart(rows));
                    }
                }
            }
            int columns = Math.min(2, drawn.size());
            BitmapEncoder.saveBitmap(
                    drawn,
                    (drawn.size() + columns - 1) / columns,
                    columns,
                    folder.resolve("speed-" + picture.getKey()).toString(),
                    BitmapFormat.PNG);
        }
    }

    private static XYChart chart(List<Row> rows) {
        Row first = rows.get(0);
        Size s = first.size();
        boolean overN = s.name().endsWith("N");
        XYChart chart =
                new XYChartBuilder()
                        .width(560)
                        .height(400)
                        .title(
                                String.format(
                                        "%s, %s, B %d, %s, threads %d",
                                        first.module(),
                                        first.pass(),
                                        s.b(),
                                        overN ? "K " + s.k() : "N " + s.n(),
                                        first.threads()))
                        .xAxisTitle(overN ? "features N" : "slots K")
                        .yAxisTitle("ms")
                        .build();
        look(chart);
        // Whole powers of 10, so that there are labels at both ends.
        List<Double> sorted = rows.stream().map(row -> row.timing().median()).sorted().toList();
        double last = sorted.get(sorted.size() - 1);
        chart.getStyler()
                .setYAxisMin(Math.pow(10, Math.floor(Math.log10(sorted.get(0)))))
                .setYAxisMax(Math.pow(10, Math.ceil(Math.log10(last))));
        // Powers of 2 along the axis: XChart marks powers of 10 only.
        chart.setCustomXAxisTickLabelsFormatter(power -> "" + Math.round(Math.pow(2, power)));
        for (Map.Entry<String, Look> look : LOOKS.entrySet()) {
            List<Row> own = rows.stream().filter(row -> row.who().equals(look.getKey())).toList();
            if (own.isEmpty()) {
                continue;
            }
            List<Double> x = new ArrayList<>();
            List<Double> y = new ArrayList<>();
            for (Row row : own) {
                x.add(Math.log(overN ? row.size().n() : row.size().k()) / Math.log(2));
                y.add(row.timing().median());
            }
            XYSeries series = chart.addSeries(look.getKey(), x, y);
            series.setLineColor(new Color(look.getValue().colour));
            series.setMarkerColor(new Color(look.getValue().colour));
            series.setMarker(look.getValue().marker);
            series.setLineStyle(new BasicStroke(2));
        }
        return chart;
    }

    private static void look(XYChart chart) {
        chart.getStyler()
                .setYAxisLogarithmic(true)
                .setLegendPosition(LegendPosition.InsideNW)
                .setChartBackgroundColor(Color.WHITE)
                .setMarkerSize(8);
    }
}
