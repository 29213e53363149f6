package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.diffusion.BetaSchedule;
import org.slotwise.diffusion.DiffusersScheduler;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.grouping.SteveOptions;
import org.slotwise.grouping.SteveSlotAttention;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.AtomicFolder;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.ParameterArray;
import org.slotwise.model.ObjectDiscoveryConfiguration.Colours;
import org.slotwise.unet.UNet;
import org.slotwise.weights.StateDict;

/**
 * A {@link LatentSlotDiffusion} in the folders of Latent Slot Diffusion's code.
 *
 * <pre>{@code
 * backbone, or unetencoder                  UNetEncoder
 * slot_attn, or multiheadstevesa            SteveSlotAttention
 * unet, or unet2dconditionmodelwithpos      UNet
 * vae                                       AutoencoderKl: Stable Diffusion's, not in their checkpoints
 * scheduler                                 scheduler_config.json, not in their checkpoints either
 * }</pre>
 */
final class AuthorsFolders {

    /** Of which the first is written, where none is there. */
    private static final String[] BACKBONE = {"backbone", "unetencoder"};

    private static final String[] SLOTS = {"slot_attn", "multiheadstevesa"};
    private static final String[] UNET = {"unet", "unet2dconditionmodelwithpos"};
    private static final String VAE = "vae";
    private static final String SCHEDULER = "scheduler";

    /**
     * An empty file, there from before the first of the folders is replaced till after the last.
     */
    private static final String UNFINISHED = "slotwise-unfinished";

    private static final int COLOURS = 3;

    private AuthorsFolders() {}

    static LatentSlotDiffusion read(Path folder, NDManager manager) throws IOException {
        if (Files.exists(folder.resolve(UNFINISHED))) {
            throw new IOException(
                    folder
                            + " was not written to its end, and may have parts of two models: write"
                            + " it anew, or delete "
                            + UNFINISHED
                            + " in it if they are of one");
        }
        // What is small comes first, so that what is missing is told soon.
        DiffusersScheduler scheduler =
                DiffusersScheduler.read(
                        part(folder, ": take that of the authors' configs", SCHEDULER));
        Path vae = part(folder, ": take that of Stable Diffusion, which they learnt with", VAE);
        Path unet = part(folder, "", UNET);
        Path slots = part(folder, "", SLOTS);
        Path backbone = part(folder, "", BACKBONE);
        try (NDManager own = manager.newSubManager()) {
            SteveSlotAttention grouping = SteveSlotAttention.read(slots, own);
            UNetEncoder encoder = UNetEncoder.read(backbone, own);
            UNet denoiser = UNet.read(unet, own);
            AutoencoderKl autoencoder = AutoencoderKl.read(vae, own);
            agree(
                    encoder.featureDim(),
                    backbone + ": out_channels",
                    grouping.options().featureDim(),
                    slots + ": input_size");
            agree(
                    grouping.options().outDim(),
                    slots + ": out_size",
                    Objects.requireNonNull(denoiser.sizes().transformer()).slotDim(),
                    unet + ": cross_attention_dim");
            agree(autoencoder.sizes().imageChannels(), vae + ": in_channels", COLOURS, "3");
            LatentSlotDiffusion model;
            try {
                model =
                        new LatentSlotDiffusion(
                                configuration(encoder, grouping, denoiser, autoencoder, scheduler));
            } catch (IllegalArgumentException e) {
                throw new IOException(folder + ": its parts do not fit: " + e.getMessage(), e);
            }
            boolean done = false;
            try {
                ObjectDiscoveryConfiguration c = model.madeFrom().discovery();
                Shape images = new Shape(1, COLOURS, c.imageHeight(), c.imageWidth());
                model.initialize(manager, DataType.FLOAT32, images);
                copy(encoder, part(model, "encoder"));
                copy(grouping, part(model, "grouping"));
                copy(denoiser, model.decoder().denoiser());
                copy(autoencoder, model.autoencoder());
                done = true;
                return model;
            } finally {
                if (!done) {
                    ParameterArray.closeAll(model);
                }
            }
        }
    }

    private static void copy(Block from, Block to) {
        StateDict.of(from).loadInto(to);
    }

    private static Block part(LatentSlotDiffusion model, String name) {
        return Objects.requireNonNull(model.discovery().parts().get(name));
    }

    /** The folder of one of these names that is there. */
    private static Path part(Path folder, String hint, String... names) throws IOException {
        List<Path> there = there(folder, names);
        if (there.isEmpty()) {
            throw new IOException(folder + " has no folder " + String.join(" or ", names) + hint);
        }
        return there.get(0);
    }

    /** Where a part is written: in the place of a former one, whichever name that has. */
    private static Path place(Path folder, String... names) throws IOException {
        List<Path> there = there(folder, names);
        return there.isEmpty() ? folder.resolve(names[0]) : there.get(0);
    }

    /** The folder of one of these names; two would be of two models. */
    private static List<Path> there(Path folder, String... names) throws IOException {
        List<Path> there = new ArrayList<>();
        for (String name : names) {
            AtomicFolder.finish(folder.resolve(name));
            if (Files.isDirectory(folder.resolve(name))) {
                there.add(folder.resolve(name));
            }
        }
        if (there.size() > 1) {
            throw new IOException(
                    folder
                            + " has "
                            + String.join(" and ", names)
                            + ", two names of one part: take away that of another model");
        }
        return there;
    }

    private static void agree(int one, String where, int other, String there) throws IOException {
        if (one != other) {
            throw new IOException(where + " must be " + there + ", got " + one + " and " + other);
        }
    }

    private static LatentSlotDiffusionConfiguration configuration(
            UNetEncoder encoder,
            SteveSlotAttention grouping,
            UNet denoiser,
            AutoencoderKl autoencoder,
            DiffusersScheduler scheduler) {
        SteveOptions slots = grouping.options();
        BetaSchedule betas = scheduler.betas();
        return LatentSlotDiffusionConfiguration.ofSteve(
                slots.side() * encoder.patch(),
                slots,
                new EncoderConfiguration.UNet(encoder.sizes(), encoder.patch(), null),
                new LatentsConfiguration.Kl(autoencoder.sizes()),
                new DiffusionConfiguration(
                        DiffusionConfiguration.Schedule.valueOf(betas.curve().name()),
                        betas.steps(),
                        betas.first(),
                        betas.last(),
                        betas.zeroTerminalSnr(),
                        scheduler.prediction(),
                        null),
                new DenoiserConfiguration.UNet(denoiser.sizes()));
    }

    static void write(Path folder, LatentSlotDiffusion model) throws IOException {
        LatentSlotDiffusionConfiguration c = model.madeFrom();
        UNetEncoder encoder = the(UNetEncoder.class, "encoder", model);
        SteveSlotAttention grouping = the(SteveSlotAttention.class, "grouping", model);
        UNet denoiser = the(UNet.class, "denoiser", model.decoder().denoiser());
        AutoencoderKl autoencoder = the(AutoencoderKl.class, "autoencoder", model.autoencoder());
        Colours colours = c.discovery().colours();
        Check.option(
                colours.equals(Colours.FROM_MINUS_1_TO_1),
                "LatentSlotDiffusion: colours must be FROM_MINUS_1_TO_1 for the authors' folders,"
                        + " got "
                        + colours);
        DiffusersScheduler scheduler = scheduler(c.diffusion());
        double scale = scale(model, autoencoder.sizes().scale());
        Path backbone = place(folder, BACKBONE);
        Path slots = place(folder, SLOTS);
        Path unet = place(folder, UNET);
        List<Part> parts =
                List.of(
                        () -> encoder.write(backbone),
                        () -> grouping.write(slots),
                        () -> denoiser.write(unet),
                        () -> autoencoder.write(folder.resolve(VAE), scale),
                        () -> scheduler.write(folder.resolve(SCHEDULER)));
        Files.createDirectories(folder);
        Path mark = folder.resolve(UNFINISHED);
        boolean marked = Files.exists(mark); // by somebody who was killed
        if (!marked) {
            AtomicFile.write(mark, out -> {});
        }
        int written = 0;
        try {
            for (Part part : parts) {
                part.write();
                written++;
            }
        } finally {
            boolean asBefore = written == 0 && !marked;
            if (asBefore || written == parts.size()) {
                Files.deleteIfExists(mark);
            }
        }
    }

    /** Writes one of the folders. */
    @FunctionalInterface
    private interface Part {
        void write() throws IOException;
    }

    /** What latents are multiplied by: as the autoencoder says it, if nobody set it since. */
    private static double scale(LatentSlotDiffusion model, double said) {
        NDArray own =
                Objects.requireNonNull(StateDict.parameters(model).get("latent_scale")).getArray();
        double scale = Ops.read(own)[0];
        return (float) scale == (float) said ? said : scale;
    }

    private static <T> T the(Class<T> type, String name, LatentSlotDiffusion model) {
        return the(type, name, part(model, name));
    }

    private static <T> T the(Class<T> type, String name, Block block) {
        Check.option(
                type.isInstance(block),
                "LatentSlotDiffusion: "
                        + name
                        + " must be "
                        + type.getSimpleName()
                        + " for the authors' folders, got "
                        + block.getClass().getSimpleName());
        return type.cast(block);
    }

    /** As theirs: it learns with DDPM, and is drawn from at times of LEADING with offset 1. */
    private static DiffusersScheduler scheduler(DiffusionConfiguration c) {
        DiffusersScheduler plain =
                DiffusersScheduler.of(
                        DiffusersScheduler.Kind.DDPM,
                        new BetaSchedule(
                                BetaSchedule.Curve.valueOf(c.schedule().name()),
                                c.steps(),
                                c.first(),
                                c.last(),
                                c.zeroTerminalSnr()),
                        c.prediction());
        return new DiffusersScheduler(
                plain.kind(),
                plain.betas(),
                plain.prediction(),
                plain.spacing(),
                1,
                null,
                plain.variance(),
                plain.alphaToOne(),
                plain.order());
    }
}
