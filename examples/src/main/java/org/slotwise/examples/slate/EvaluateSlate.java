package org.slotwise.examples.slate;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.slate.Slate;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "evaluate" of {@link ComposePictures}. */
@Command(
        name = "evaluate",
        description = {
            "Tells how well a model makes pictures again that it has never seen, how much slots tell"
                    + " about them, and how well the slots' attention segments them, beside ways that"
                    + " learn nothing. FG-ARI: how well objects are told apart; ARI: the same with"
                    + " the background. 1 is best, 0 is chance.",
            ""
        },
        sortOptions = false)
final class EvaluateSlate implements Callable<Integer> {

    private static final int MAX_SCENES = 100_000;

    /** From one end of the picture to the other is as far as from dark to light. */
    private static final float PLACES_COUNT = 1;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many pictures, 2 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private SlateOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 2, MAX_SCENES);
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager()) {
            Slate slate = options.load(manager);
            Scenes pictures = options.scenes(spec, slate, scenes, 2);
            out.printf("%d %s%n", pictures.size(), options.named());
            made(out, slate, SlateScores.of(slate, pictures, true));
            options.tellOfOtherPictures(out);
            if (options.masked()) {
                segmented(out, slate, pictures);
            }
        }
        return ExitCode.OK;
    }

    private static void made(PrintWriter out, Slate slate, SlateScores scores) {
        out.printf(
                Locale.ROOT,
                "auto-encoder: error %.5f, %d of %d tokens used%n",
                scores.dvaeError(),
                scores.used(),
                slate.sizes().vocabulary());
        out.printf(
                Locale.ROOT,
                "cross entropy: %.2f with a picture's own slots, %.2f with another's%n",
                scores.own(),
                scores.foreign());
        out.printf(
                Locale.ROOT,
                "pictures made of slots: error %.5f, %.3f of tokens right%n",
                scores.generatedError(),
                scores.right());
        out.flush();
    }

    private static void segmented(PrintWriter out, Slate slate, Scenes pictures)
            throws IOException, TranslateException {
        SceneScoring scoring =
                new SceneScoring(
                        pictures, slate.sizes().imageSize(), slate.sizes().slots().count());
        out.printf("%-34s %7s %7s%n", "", "FG-ARI", "ARI");
        row(out, "attention of slots", scoring.of(SlateScores.segmenting(slate)));
        row(out, "k-means on colour and place", scoring.ofKMeans(PLACES_COUNT));
        row(out, "k-means on colour", scoring.ofKMeans(0));
        row(out, scoring.cellsName(), scoring.ofCells());
    }

    private static void row(PrintWriter out, String way, SceneScoring.Scores scores) {
        out.printf(Locale.ROOT, "%-34s %7.3f %7.3f%n", way, scores.foreground(), scores.all());
        out.flush();
    }
}
