package org.slotwise.examples.diffusion;

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
import org.slotwise.model.LatentSlotDiffusion;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "evaluate" of {@link DiffuseSlots}. */
@Command(
        name = "evaluate",
        description = {
            "Tells how far pictures that are drawn of slots are from those that the slots are of, and"
                    + " from others; how much slots tell the denoiser; and how well masks segment"
                    + " pictures, beside ways that learn nothing. FG-ARI: how well objects are told"
                    + " apart; ARI: the same with the background. 1 is best, 0 is chance. Errors are"
                    + " of colours in [0, 1].",
            ""
        },
        sortOptions = false)
final class EvaluateDiffusion implements Callable<Integer> {

    private static final int MAX_SCENES = 100_000;

    /** From one end of the picture to the other is as far as from dark to light. */
    private static final float PLACES_COUNT = 1;

    @Option(
            names = "--scenes",
            defaultValue = "320",
            paramLabel = "NUMBER",
            description = "How many pictures, 2 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private DiffusionOptions options;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 2, MAX_SCENES);
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = options.load(spec, manager)) {
            Scenes pictures = options.scenes(spec, model, scenes, 2);
            DiffusionScores scores = new DiffusionScores(model, pictures);
            out.printf("%d %s%n", pictures.size(), options.named());
            made(out, model, scores);
            if (options.masked()) {
                segmented(out, scores, options.seed());
            }
        }
        return ExitCode.OK;
    }

    private void made(PrintWriter out, LatentSlotDiffusion model, DiffusionScores scores)
            throws IOException {
        out.printf(Locale.ROOT, "autoencoder: error %.5f%n", scores.autoencoder());
        out.printf(Locale.ROOT, "decoder of the first stage: error %.5f%n", scores.mixture());
        DiffusionScores.Losses losses = scores.losses();
        out.printf(
                Locale.ROOT,
                "loss of the denoiser: %.4f with a picture's own slots, %.4f with another's%n",
                losses.own(),
                losses.other());
        out.flush();
        DiffusionScores.Distances drawn =
                scores.distances(options.sampling(model, out), options.seed());
        out.printf(
                Locale.ROOT,
                "drawn by %s: error %.5f, to another picture %.5f; from the mean picture"
                        + " pictures are %.5f%n",
                options.drawn(),
                drawn.own(),
                drawn.other(),
                drawn.mean());
        out.flush();
    }

    private static void segmented(PrintWriter out, DiffusionScores scores, int seed)
            throws IOException, TranslateException {
        SceneScoring scoring = scores.scoring();
        out.printf("%-34s %7s %7s%n", "", "FG-ARI", "ARI");
        row(out, "masks of the first stage", scores.masks());
        row(out, "attention of slots", scores.attention());
        row(out, "cross attention of the denoiser", scores.crossAttention(seed));
        row(out, "k-means on colour and place", scoring.ofKMeans(PLACES_COUNT));
        row(out, "k-means on colour", scoring.ofKMeans(0));
        row(out, scoring.cellsName(), scoring.ofCells());
    }

    private static void row(PrintWriter out, String way, SceneScoring.Scores scores) {
        out.printf(Locale.ROOT, "%-34s %7.3f %7.3f%n", way, scores.foreground(), scores.all());
        out.flush();
    }
}
