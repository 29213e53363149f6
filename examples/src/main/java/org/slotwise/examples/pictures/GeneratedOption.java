package org.slotwise.examples.pictures;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Scenes that are generated as they are needed, where there are no pictures. */
final class GeneratedOption {

    /** More scenes than this are seen again. */
    static final int MOST = 1_000_000;

    /** Between the seeds of training scenes and of any others lies more than one can choose. */
    static final long FIRST_TRAINING_SEED = 1L << 40;

    /** Scenes by which it is seen how a training goes. */
    static final long HELD_OUT_SEED = 987_654_321;

    /** How many these are, if nobody says. */
    static final int HELD_OUT = 320;

    @Option(
            names = "--generated",
            paramLabel = "NAME",
            description =
                    "Instead of --images: scenes that are generated as they are needed, with their"
                            + " masks, as \"scenes\" writes them: ${COMPLETION-CANDIDATES}.")
    private @Nullable GeneratedKind kind;

    boolean isGiven() {
        return kind != null;
    }

    /**
     * Either pictures or scenes.
     *
     * @param images where pictures are
     * @param masks whether something is said of their masks
     */
    void check(CommandSpec spec, @Nullable Path images, boolean masks) {
        String both = images == null ? "neither" : "both";
        Program.require(
                spec, (images == null) != (kind == null), "give --images or --generated", both);
        Program.require(
                spec,
                kind == null || !masks,
                "--masks and --void go with --images, not with --generated",
                kind);
    }

    /**
     * Scenes of the size that a model takes.
     *
     * @param count how many, of which at most {@link #MOST} differ
     * @param seed which ones
     * @param model what the model is made from
     */
    Scenes scenes(CommandSpec spec, long count, long seed, ObjectDiscoveryConfiguration model) {
        if (kind == null) {
            throw new IllegalStateException("no scenes were asked for");
        }
        int side = model.imageHeight();
        String size = model.imageHeight() + " x " + model.imageWidth();
        Program.require(
                spec,
                model.imageWidth() == side && kind.has(side),
                "--generated "
                        + kind
                        + " needs a model for pictures of "
                        + kind.sizes()
                        + ": choose another kind of scenes or another model",
                size);
        return kind.scenes((int) Math.min(count, MOST), seed, side);
    }
}
