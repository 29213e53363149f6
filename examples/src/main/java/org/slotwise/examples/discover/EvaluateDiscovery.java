package org.slotwise.examples.discover;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.SceneScoring;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "evaluate" of {@link DiscoverObjects}. */
@Command(
        name = "evaluate",
        description = {
            "Tells how well a model segments scenes that it has never seen, beside ways that"
                    + " learn nothing. FG-ARI: how well objects are told apart; ARI: the same with"
                    + " the background. 1 is best, 0 is chance.",
            ""
        },
        sortOptions = false)
final class EvaluateDiscovery implements Callable<Integer> {

    private static final int MAX_SCENES = 100_000;

    /** From one end of the picture to the other is as far as from dark to light. */
    private static final float PLACES_COUNT = 1;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private DiscoveryOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        try (NDManager manager = NDManager.newBaseManager()) {
            DiscoveryModel model = options.load(spec, manager);
            PrintWriter out = spec.commandLine().getOut();
            report(out, model, options.iterations(model.task()), options.dataSeed(), scenes);
        }
        return ExitCode.OK;
    }

    /** Prints the table. */
    static void report(
            PrintWriter out, DiscoveryModel model, int iterations, long dataSeed, int scenes)
            throws IOException, TranslateException {
        SceneScoring scores = model.task().scoring(dataSeed, scenes);
        out.printf("%d scenes of seed %d%n", scenes, dataSeed);
        out.printf("%-34s %7s %7s %9s%n", "", "FG-ARI", "ARI", "MSE");
        row(out, "model, " + iterations + " iterations", scores.of(model.segmenting(iterations)));
        row(out, "k-means on colour and place", scores.ofKMeans(PLACES_COUNT));
        row(out, "k-means on colour", scores.ofKMeans(0));
        row(out, scores.cellsName(), scores.ofCells());
    }

    private static void row(PrintWriter out, String way, SceneScoring.Scores scores) {
        String error =
                Double.isNaN(scores.error())
                        ? "-"
                        : String.format(Locale.ROOT, "%.5f", scores.error());
        out.printf(
                Locale.ROOT,
                "%-34s %7.3f %7.3f %9s%n",
                way,
                scores.foreground(),
                scores.all(),
                error);
        out.flush();
    }
}
