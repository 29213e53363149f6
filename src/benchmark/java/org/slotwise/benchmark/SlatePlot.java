package org.slotwise.benchmark;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Draws what {@link SlateSpeed} measured by the number of tokens. */
final class SlatePlot {

    private SlatePlot() {}

    /** Writes {@code slate-tokens.png} to a folder. */
    static void draw(String csv, Path folder) throws IOException {
        List<Double> tokens = new ArrayList<>();
        List<Double> library = new ArrayList<>();
        List<Double> some = new ArrayList<>();
        List<Double> plain = new ArrayList<>();
        for (String line : csv.lines().skip(1).toList()) {
            String[] cells = line.split(",", -1);
            double at = Double.parseDouble(cells[0]);
            tokens.add(at);
            library.add(Double.parseDouble(cells[1]) / 1000);
            if (!cells[3].isEmpty()) {
                some.add(at);
                plain.add(Double.parseDouble(cells[3]) / 1000);
            }
        }
        XYChart chart =
                new XYChartBuilder()
                        .width(640)
                        .height(420)
                        .title("SLATE, 4 blocks of width 192, batch 1, 1 thread")
                        .xAxisTitle("tokens of a picture")
                        .yAxisTitle("seconds")
                        .build();
        chart.getStyler()
                .setXAxisLogarithmic(true)
                .setYAxisLogarithmic(true)
                .setLegendPosition(LegendPosition.InsideNW)
                .setChartBackgroundColor(Color.WHITE);
        chart.addSeries("library, kept keys", tokens, library);
        if (!some.isEmpty()) {
            chart.addSeries("plain, whole prefix", some, plain);
        }
        BitmapEncoder.saveBitmap(
                chart, folder.resolve("slate-tokens").toString(), BitmapFormat.PNG);
    }
}
