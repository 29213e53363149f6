package org.slotwise.examples.diffusion;

import ai.djl.modality.cv.Image;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.composition.SlotLibrary;
import org.slotwise.data.Scenes;
import org.slotwise.examples.diffusion.Composer.Rule;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.WrittenFiles;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Which slots are put together without a prompt, and a picture of their clusters. */
final class ComposerOptions {

    private static final int MAX_OBJECTS = 100;

    @Option(
            names = "--rule",
            defaultValue = "OBJECTS",
            paramLabel = "RULE",
            description =
                    "Which slots are put together: OBJECTS, a background and some objects; SHIFTED,"
                            + " slot k of the k-th picture after it. Default: ${DEFAULT-VALUE}.")
    private Rule rule;

    @Option(
            names = "--objects",
            defaultValue = "3",
            paramLabel = "NUMBER",
            description = "How many objects, 1 to " + MAX_OBJECTS + ". Default: ${DEFAULT-VALUE}.")
    private int objects;

    @Option(
            names = "--clusters",
            paramLabel = "FILE",
            description =
                    "A PNG file for a picture of the clusters: a row for each, of what belongs to the"
                            + " slots nearest to its centre. Default: none.")
    private @Nullable Path clusters;

    /** The rule, in words. */
    String named() {
        return rule == Rule.OBJECTS ? "--rule OBJECTS, --objects " + objects : "--rule " + rule;
    }

    void check(CommandSpec spec, DiffusionOptions options, WrittenFiles written)
            throws IOException {
        Program.requireRange(spec, "--objects", objects, 1, MAX_OBJECTS);
        Program.require(
                spec,
                rule == Rule.OBJECTS || !Program.isGiven(spec, "--objects"),
                "--objects needs --rule OBJECTS",
                rule);
        if (clusters != null) {
            Program.require(
                    spec, OutputFile.isPng(clusters), "--clusters must end in .png", clusters);
            options.refuseAmongPictures(spec, "--clusters", clusters);
            new OutputFile(clusters).check(options.model());
            written.and("--clusters", clusters);
        }
    }

    /** Clusters slots, tells how large clusters are, and draws them if that is wanted. */
    Composer composer(DiffusionFigure figure, Scenes from, FoundSlots found, PrintWriter out)
            throws IOException {
        SlotLibrary library = found.library();
        Composer composer = new Composer(library, rule, objects);
        if (rule == Rule.OBJECTS) {
            composer.describe(out);
            if (objects >= library.slotsPerPicture()) {
                out.printf(
                        "The model learnt pictures of %d slots; these have one for the background and"
                                + " %d%n",
                        library.slotsPerPicture(), objects);
            }
        }
        if (clusters != null) {
            Image drawn = figure.clusters(from, library);
            new OutputFile(clusters).write(drawn);
            out.printf("Clusters: %s%n", clusters.toAbsolutePath().normalize());
            out.flush();
        }
        return composer;
    }
}
