package org.slotwise.examples.discover;

import ai.djl.modality.cv.Image;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command "curves" of {@link DiscoverObjects}. */
@Command(
        name = "curves",
        description = {
            "Draws loss and scores over the steps of trainings, from the files that they wrote:"
                    + " comma-separated values under a line of names, of which one is \"step\". A"
                    + " chart for each quantity, a line for each file.",
            ""
        },
        sortOptions = false)
final class DrawCurves implements Callable<Integer> {

    /** What is drawn if nothing else is asked for, where it was measured. */
    private static final List<String> USUAL = List.of("loss", "fg_ari", "ari", "mse");

    /** What spans powers of ten. */
    private static final List<String> LOGARITHMIC =
            List.of("loss", "mse", "gradient_norm", "learning_rate");

    @Parameters(
            arity = "1..*",
            paramLabel = "FILE",
            description = "The files, each of one training.")
    private List<Path> files;

    @Option(
            names = "--columns",
            split = ",",
            paramLabel = "NAME",
            description = "Which quantities. Default: loss,fg_ari,ari,mse, where there are any.")
    private @Nullable List<String> columns;

    @Option(
            names = "--linear",
            description =
                    "Draws all on linear axes. Default: loss, mse, gradient_norm and learning_rate"
                            + " on logarithmic ones, where they pass two powers of ten.")
    private boolean linear;

    @Option(
            names = "--output",
            defaultValue = "curves.png",
            paramLabel = "FILE",
            description = "Where the figure goes, a PNG file. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Program.requirePng(spec, output);
        OutputFile figure = new OutputFile(output);
        List<TrainingHistory> runs = new ArrayList<>();
        for (Path file : files) {
            figure.check(file);
            runs.add(TrainingHistory.read(file));
        }
        figure.write(draw(runs));
        spec.commandLine().getOut().printf("Figure: %s%n", output.toAbsolutePath().normalize());
        return ExitCode.OK;
    }

    private Image draw(List<TrainingHistory> runs) throws IOException {
        Set<String> measured = new LinkedHashSet<>();
        runs.forEach(run -> measured.addAll(run.series().keySet()));
        if (columns != null) {
            Program.require(
                    spec,
                    measured.containsAll(columns),
                    "--columns must be of those that were measured, " + measured,
                    columns);
        }
        List<String> drawn =
                (columns == null ? USUAL.stream().filter(measured::contains) : columns.stream())
                        .distinct()
                        .toList();
        if (drawn.isEmpty()) {
            throw new IOException(
                    "of " + USUAL + " none was measured, only " + measured + ": name --columns");
        }
        try {
            return CurvesFigure.draw(runs, drawn, linear ? List.of() : LOGARITHMIC, "step");
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}
