package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.diffusion.Ddim;
import org.slotwise.diffusion.Ddpm;
import org.slotwise.diffusion.DpmSolver;
import org.slotwise.diffusion.NoiseSchedule;
import org.slotwise.diffusion.Sampler;
import org.slotwise.diffusion.Sampling;
import org.slotwise.diffusion.SamplingProgress;
import org.slotwise.diffusion.TimeChoice;
import org.slotwise.examples.shared.Counted;
import org.slotwise.examples.shared.PicturesRead;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.LatentSlotDiffusion;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What using a trained model takes: the model, pictures, and how pictures are drawn. */
final class DiffusionOptions {

    private static final int MAX_STEPS = 1000;

    /** In which steps pictures are drawn. */
    enum Way {
        /** Nothing is drawn on the way. */
        DDIM {
            @Override
            Sampler sampler(NoiseSchedule schedule, int steps) {
                return Ddim.builder()
                        .setSchedule(schedule)
                        .optTimes(TimeChoice.trailing(steps))
                        .build();
            }
        },
        /** Noise is drawn in each step. */
        DDPM {
            @Override
            Sampler sampler(NoiseSchedule schedule, int steps) {
                return Ddpm.builder()
                        .setSchedule(schedule)
                        .optTimes(TimeChoice.trailing(steps))
                        .build();
            }
        },
        /** With the estimates of several steps. */
        DPM_SOLVER {
            @Override
            Sampler sampler(NoiseSchedule schedule, int steps) {
                return DpmSolver.builder()
                        .setSchedule(schedule)
                        .optTimes(TimeChoice.trailing(steps))
                        .build();
            }
        };

        abstract Sampler sampler(NoiseSchedule schedule, int steps);
    }

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description =
                    "A model that \"train\" wrote, or the folder or .zip of a LatentSlotDiffusion"
                            + " that was saved. Default: the one of these examples.")
    private @Nullable Path model;

    @Option(
            names = "--images",
            paramLabel = "FOLDER",
            description =
                    "A folder of pictures of your own, cut to squares and scaled to the model's size."
                            + " Default: generated sprites.")
    private @Nullable Path images;

    @Option(
            names = "--data-seed",
            defaultValue = "4242",
            paramLabel = "NUMBER",
            description =
                    "Which scenes, "
                            + Program.DATA_SEEDS
                            + "; no training sees them. Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Option(
            names = "--sampler",
            defaultValue = "DDIM",
            paramLabel = "KIND",
            description =
                    "In which steps pictures are drawn: ${COMPLETION-CANDIDATES}. Default:"
                            + " ${DEFAULT-VALUE}.")
    private Way way;

    @Option(
            names = "--sampling-steps",
            defaultValue = "50",
            paramLabel = "NUMBER",
            description =
                    "How many steps, 1 to "
                            + MAX_STEPS
                            + "; all 1000 for DDPM are the published way. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "Which noise pictures are drawn of. Default: ${DEFAULT-VALUE}.")
    private int seed;

    @Nullable Path model() {
        return model;
    }

    int seed() {
        return seed;
    }

    /** What the pictures are, in words. */
    String named() {
        return images == null ? "scenes of seed " + dataSeed : "pictures of " + images;
    }

    /** What tells some pictures from others, however they are called. */
    String known(LatentSlotDiffusion loaded, Scenes scenes) throws IOException {
        String count = scenes.size() + " " + named();
        if (images == null) {
            return count;
        }
        int side = loaded.madeFrom().discovery().imageHeight();
        // Lists and texts have the same number everywhere.
        int files =
                DiffusionPictures.origin(DiffusionPictures.folder(images, side), scenes.size())
                        .images()
                        .hashCode();
        return count + ", files " + Integer.toHexString(files);
    }

    /** Says that a model of one's own sees generated sprites, where no pictures are given. */
    void tellOfSprites(PrintWriter out) {
        if (model != null && images == null) {
            out.printf(
                    "pictures: generated sprites, %s; --images takes pictures of your own%n",
                    named());
        }
    }

    /** How pictures are drawn, in words. */
    String drawn() {
        return way + " in " + Counted.of(steps, "step");
    }

    /** Whether it is known what objects the pictures have. */
    boolean masked() {
        return images == null;
    }

    void check(CommandSpec spec) {
        Program.requireDataSeed(spec, dataSeed);
        Program.requireRange(spec, "--sampling-steps", steps, 1, MAX_STEPS);
        Program.refuseBeside(spec, "--images", "--data-seed");
    }

    /** Refuses a file that would be among the pictures that are read. */
    void refuseAmongPictures(CommandSpec spec, String option, Path written) throws IOException {
        if (images != null) {
            new PicturesRead(images).refuse(spec, option, written);
        }
    }

    LatentSlotDiffusion load(CommandSpec spec, NDManager manager) throws IOException {
        LatentSlotDiffusion loaded = DiffusionModel.load(manager, model);
        // The solver does not begin at the highest time.
        int most =
                loaded.decoder().learning().noising().schedule().steps()
                        - (way == Way.DPM_SOLVER ? 1 : 0);
        try {
            Program.require(
                    spec,
                    steps <= most,
                    "--sampling-steps must be at most " + most + " for this model by " + way,
                    steps);
        } catch (ParameterException e) {
            loaded.close();
            throw e;
        }
        return loaded;
    }

    /** How pictures are drawn; tells of it where that takes long. */
    Sampling sampling(LatentSlotDiffusion loaded, PrintWriter out) {
        return sampling(loaded, new SamplingLines(out));
    }

    /** How pictures are drawn. */
    Sampling sampling(LatentSlotDiffusion loaded, SamplingProgress progress) {
        return loaded.sampling()
                .setSampler(way.sampler(loaded.decoder().learning().noising().schedule(), steps))
                .optProgress(progress)
                .build();
    }

    /**
     * Pictures at the model's size.
     *
     * @param count how many; of a folder at most as many as there are
     * @param least how many there must be
     */
    Scenes scenes(CommandSpec spec, LatentSlotDiffusion loaded, int count, int least)
            throws IOException {
        int side = loaded.madeFrom().discovery().imageHeight();
        if (images == null) {
            Program.require(
                    spec,
                    side == DiffusionPictures.SIDE,
                    "--images is needed for a model of other pictures than "
                            + DiffusionPictures.SIDE
                            + " x "
                            + DiffusionPictures.SIDE,
                    side + " x " + side);
            return DiffusionPictures.sprites(dataSeed, count);
        }
        Scenes all = DiffusionPictures.folder(images, side);
        if (all.size() < least) {
            throw new IOException(
                    "at least "
                            + least
                            + " pictures are needed, got "
                            + all.size()
                            + " in "
                            + images);
        }
        return all.range(0, Math.min(count, all.size()));
    }
}
