package org.slotwise.examples.sets;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "evaluate" of {@link PredictSets}. */
@Command(
        name = "evaluate",
        description = {
            "Tells how well a model says the objects of scenes that it has never seen, beside ways"
                    + " that do not look: average precision in percent at distances, and how well"
                    + " the attention tells objects apart (FG-ARI).",
            ""
        },
        sortOptions = false)
final class EvaluateSets implements Callable<Integer> {

    private static final int MAX_SCENES = 100_000;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many scenes, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private SetModelOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.require(
                spec,
                scenes >= 1 && scenes <= MAX_SCENES,
                "--scenes must be 1 to " + MAX_SCENES,
                scenes);
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager()) {
            PropertyModel model = options.load(manager);
            PropertyScenes data = options.scenes(scenes);
            PropertyScores scores = new PropertyScores(data, options.slots());
            out.printf(
                    "%d scenes of seed %d, up to %d objects, %d slots%n",
                    data.count(), data.seed(), data.maxObjects(), options.slots());
            out.printf(
                    "%-34s %5s %5s %5s %5s %5s %5s  %s%n",
                    "AP (%)", "inf", "1", "0.5", "0.25", "0.125", ".0625", "FG-ARI");
            row(out, "model, " + model.iterations() + " iterations", scores.ofModel(model));
            row(out, "the mean of other scenes", scores.ofTheMean());
            row(out, "the most frequent kind, anywhere", scores.ofTheMostFrequent());
            row(out, "objects of other scenes", scores.ofOtherScenes());
        }
        return ExitCode.OK;
    }

    private static void row(PrintWriter out, String way, PropertyScores.Scores scores) {
        out.printf("%-34s %s%n", way, scores);
        out.flush();
    }
}
