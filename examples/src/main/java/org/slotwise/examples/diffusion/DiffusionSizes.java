package org.slotwise.examples.diffusion;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.diffusion.Prediction;
import org.slotwise.examples.shared.PicturesRead;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.ConditioningConfiguration;
import org.slotwise.model.DecoderConfiguration;
import org.slotwise.model.DenoiserConfiguration;
import org.slotwise.model.DiffusionConfiguration;
import org.slotwise.model.EncoderConfiguration;
import org.slotwise.model.GroupingConfiguration;
import org.slotwise.model.LatentSlotDiffusionConfiguration;
import org.slotwise.model.LatentsConfiguration;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryConfiguration.Colours;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNetConfiguration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What is learnt from, and how large the model is. */
final class DiffusionSizes {

    private static final int MAX_SIZE = 256;
    private static final int MAX_SCENES = 1_000_000;
    private static final int MAX_SLOTS = 100;
    private static final int MAX_DIM = 1024;

    /** A latent's place stands for so many pixels side by side, and the U-Net halves them once. */
    private static final int PATCH = 4;

    /** Channels of an autoencoder's latents. */
    private static final int LATENT_CHANNELS = 8;

    private static final int UNIT = 2 * PATCH;
    private static final int GROUPS = 8;
    private static final int HEAD = 16;

    /** BRANCH_NORM halves three times. */
    private static final int DEEP_UNIT = 8 * PATCH;

    /** There is a feature every so many pixels. */
    private static final int STRIDE = 2;

    /** Of the waves by which a slot's place is told. */
    private static final int FREQUENCIES = 3;

    /** What is diffused. */
    enum Latents {
        /** What a small autoencoder makes of pictures. */
        AUTOENCODER,
        /** Their pixels, in patches. */
        PIXELS
    }

    @Option(
            names = "--images",
            paramLabel = "FOLDER",
            description =
                    "A folder of pictures of your own, and of the folders in it: PNG, JPEG, WebP,"
                            + " GIF or BMP. The last tenth is held out. Default: generated sprites.")
    private @Nullable Path images;

    @Option(
            names = "--size",
            paramLabel = "PIXELS",
            description =
                    "Height and width of pictures, a multiple of 8 from 16 to "
                            + MAX_SIZE
                            + "; needs --images, whose pictures are cut to squares and scaled."
                            + " Default: 32.")
    private @Nullable Integer size;

    @Option(
            names = "--scenes",
            defaultValue = "20000",
            paramLabel = "NUMBER",
            description = "How many scenes are generated. Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--slots",
            defaultValue = "5",
            paramLabel = "NUMBER",
            description = "How many slots, 1 to " + MAX_SLOTS + ". Default: ${DEFAULT-VALUE}.")
    private int slots;

    @Option(
            names = "--slot-dim",
            defaultValue = "64",
            paramLabel = "NUMBER",
            description = "The size of a slot, 1 to " + MAX_DIM + ". Default: ${DEFAULT-VALUE}.")
    private int slotDim;

    @Option(
            names = "--latents",
            defaultValue = "AUTOENCODER",
            paramLabel = "KIND",
            description =
                    "What is diffused: AUTOENCODER, what a small autoencoder makes of pictures, with"
                            + " velocity predicted; PIXELS, patches of them, with the picture"
                            + " predicted. Default: ${DEFAULT-VALUE}.")
    private Latents latents;

    /** The network that learns to take noise away. */
    enum Kind {
        /** The U-Net of latent diffusion. */
        U_NET,
        /** The network of COL775's solution, with heads of 16 and two looks at slots. */
        BRANCH_NORM
    }

    @Option(
            names = "--denoiser",
            defaultValue = "U_NET",
            paramLabel = "KIND",
            description =
                    "The network that takes noise away: U_NET, that of latent diffusion; BRANCH_NORM,"
                            + " four levels with kernels of 5 x 5, about 25 times the parameters,"
                            + " whose --size is a multiple of "
                            + DEEP_UNIT
                            + ". Default: ${DEFAULT-VALUE}.")
    private Kind denoiser;

    @Option(
            names = "--width",
            defaultValue = "32",
            paramLabel = "NUMBER",
            description =
                    "Channels of the denoiser's first level, a multiple of 16 up to "
                            + MAX_DIM
                            + "; the second has twice as many, and so on. Default: ${DEFAULT-VALUE}.")
    private int width;

    /** The pictures of a training. */
    DiffusionPictures pictures(int seed) throws IOException {
        return DiffusionPictures.of(images, side(), scenes, seed);
    }

    /** Refuses a file that would be among the pictures that are read. */
    void refuseAmongPictures(CommandSpec spec, String option, @Nullable Path written)
            throws IOException {
        if (images != null && written != null) {
            new PicturesRead(images).refuse(spec, option, written);
        }
    }

    boolean learnsAutoencoder() {
        return latents == Latents.AUTOENCODER;
    }

    private int side() {
        return size == null ? DiffusionPictures.SIDE : size;
    }

    /** What the model of sprites that comes with the library is made of, for smaller pictures. */
    private ObjectDiscoveryConfiguration discovery() {
        return new ObjectDiscoveryConfiguration(
                side(),
                side(),
                Colours.FROM_0_TO_1,
                slots,
                slotDim,
                new EncoderConfiguration.ContentAndPlace(STRIDE, 32),
                new ConditioningConfiguration.Colours(STRIDE),
                new GroupingConfiguration.InvariantSlotAttention(
                        5, 3, slotDim, 3, 1e-3, 2 * slotDim, true),
                new DecoderConfiguration.ShapeAndColour(48, 4, 2));
    }

    LatentSlotDiffusionConfiguration configuration() {
        boolean pixels = latents == Latents.PIXELS;
        int channels = pixels ? 3 * PATCH * PATCH : LATENT_CHANNELS;
        ObjectDiscoveryConfiguration discovery = discovery();
        int told = LatentSlotDiffusionConfiguration.slotDim(discovery, FREQUENCIES);
        return new LatentSlotDiffusionConfiguration(
                discovery,
                FREQUENCIES,
                pixels
                        ? new LatentsConfiguration.Patches(PATCH)
                        : new LatentsConfiguration.LearntPatches(PATCH, channels, 48, 2),
                DiffusionConfiguration.cosine(pixels ? Prediction.DATA : Prediction.VELOCITY),
                denoiser(channels, told));
    }

    private DenoiserConfiguration denoiser(int channels, int told) {
        if (denoiser == Kind.BRANCH_NORM) {
            BranchNormConfiguration theirs = BranchNormConfiguration.col775();
            return new DenoiserConfiguration.BranchNormUNet(
                    new BranchNormConfiguration(
                            channels, width, theirs.timeDim(), told, HEAD, 2, theirs.dropout()));
        }
        return new DenoiserConfiguration.UNet(
                UNetConfiguration.builder()
                        .setChannels(channels, channels)
                        .setWidths(width, 2 * width)
                        .setTransformer(
                                TransformerOptions.of(told, Heads.size(HEAD))
                                        .withPositions(side() / PATCH))
                        .optGroups(GROUPS)
                        .build());
    }

    void check(CommandSpec spec) {
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requireRange(spec, "--slots", slots, 1, MAX_SLOTS);
        Program.requireRange(spec, "--slot-dim", slotDim, 1, MAX_DIM);
        Program.requireRange(spec, "--width", width, 16, MAX_DIM);
        Program.require(spec, width % 16 == 0, "--width must be a multiple of 16", width);
        Program.requireRange(spec, "--size", side(), 2 * UNIT, MAX_SIZE);
        Program.require(spec, side() % UNIT == 0, "--size must be a multiple of " + UNIT, side());
        Program.require(
                spec,
                denoiser == Kind.U_NET || side() % DEEP_UNIT == 0,
                "--denoiser BRANCH_NORM needs a --size that is a multiple of " + DEEP_UNIT,
                side());
        Program.refuseBeside(spec, "--images", "--scenes");
        Program.refuseWithout(spec, "--images", "--size");
    }
}
