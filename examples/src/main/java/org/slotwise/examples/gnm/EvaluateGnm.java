package org.slotwise.examples.gnm;

import ai.djl.engine.Engine;
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
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmDraws;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "evaluate" of {@link ExplainScenes}. */
@Command(
        name = "evaluate",
        description = {
            "Tells how well a model explains pictures that it has never seen: how well it draws them"
                    + " again, in which share of them it finds as many objects as there are, and how"
                    + " well it segments them, beside ways that learn nothing. All by the most"
                    + " probable cells, and by cells that are drawn once, as published numbers are."
                    + " FG-ARI: how well"
                    + " objects are told apart; ARI: the same with the background. 1 is best, 0 is"
                    + " chance.",
            ""
        },
        sortOptions = false)
final class EvaluateGnm implements Callable<Integer> {

    private static final int MAX_SCENES = 100_000;

    /** Where the temperature of trainings ends. */
    private static final double TEMPERATURE = 0.5;

    /** From one end of the picture to the other is as far as from dark to light. */
    private static final float PLACES_COUNT = 1;

    @Option(
            names = "--scenes",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many pictures, 1 to " + MAX_SCENES + ". Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Mixin private GnmOptions options;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What cells are drawn by. Default: ${DEFAULT-VALUE}.")
    private int seed;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        options.check(spec);
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        PrintWriter out = spec.commandLine().getOut();
        try (NDManager manager = NDManager.newBaseManager()) {
            Gnm gnm = options.load(manager);
            Scenes pictures = options.scenes(spec, gnm, scenes);
            out.printf("%d %s%n", pictures.size(), options.named());
            told(out, "the most probable cells", gnm, pictures, GnmDraws.mode());
            Engine.getInstance().setRandomSeed(seed);
            told(out, "one sample", gnm, pictures, GnmDraws.at(TEMPERATURE));
            if (options.masked()) {
                segmented(out, gnm, pictures);
            }
            out.flush();
        }
        return ExitCode.OK;
    }

    private void told(PrintWriter out, String how, Gnm gnm, Scenes pictures, GnmDraws draws)
            throws IOException {
        GnmProgress.Counts counts = GnmProgress.counts(gnm, pictures, options.masked(), draws);
        out.printf(
                Locale.ROOT,
                "%s: error %.5f, %.2f objects a picture%s%n",
                how,
                counts.error(),
                counts.found(),
                options.masked()
                        ? String.format(Locale.ROOT, ", count right: %.1f %%", 100 * counts.right())
                        : "");
    }

    private void segmented(PrintWriter out, Gnm gnm, Scenes pictures)
            throws IOException, TranslateException {
        SceneScoring scoring =
                new SceneScoring(pictures, gnm.sizes().picture().size(), CountedScenes.MOST + 1);
        out.printf("%-34s %7s %7s%n", "", "FG-ARI", "ARI");
        GnmDraws mode = GnmDraws.mode();
        row(out, "background and cells", scoring.of(GnmProgress.segmenting(gnm, mode)));
        row(out, "cells alone", scoring.of(GnmProgress.segmentingByCells(gnm, mode)));
        // All scenes are in one sample, and the same one each time.
        GnmDraws drawn = GnmDraws.at(TEMPERATURE);
        Engine.getInstance().setRandomSeed(seed);
        row(
                out,
                "background and cells, one sample",
                scoring.of(GnmProgress.segmenting(gnm, drawn)));
        Engine.getInstance().setRandomSeed(seed);
        row(out, "cells alone, one sample", scoring.of(GnmProgress.segmentingByCells(gnm, drawn)));
        row(out, "k-means on colour and place", scoring.ofKMeans(PLACES_COUNT));
        row(out, "k-means on colour", scoring.ofKMeans(0));
        row(
                out,
                "the four quarters",
                new SceneScoring(pictures, gnm.sizes().picture().size(), 4).ofCells());
    }

    private static void row(PrintWriter out, String way, SceneScoring.Scores scores) {
        out.printf(Locale.ROOT, "%-34s %7.3f %7.3f%n", way, scores.foreground(), scores.all());
    }
}
