package org.slotwise.model;

import java.util.List;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.model.LearningRateSchedule.Decay;
import org.slotwise.model.ObjectDiscoveryConfiguration.Colours;

/**
 * Plain Slot Attention that learns on a CPU: slots are drawn from one normal distribution, and the
 * decoder is a spatial broadcast decoder.
 *
 * <p>What makes it fast: a feature for every few pixels alone, gradients through one iteration, and
 * slots that are broadcast to a grid as coarse as an object's parts, of which the last layer makes
 * pixels.
 */
final class PlainPresets {

    private static final int SLOT_DIM = 64;
    private static final int HIDDEN = 128;
    private static final int ITERATIONS = 8;
    private static final int TRAINING_ITERATIONS = 3;
    private static final int CHANNELS = 64;

    private PlainPresets() {}

    /** A grid of 7 by 7; the last layer makes 9 by 9 pixels of each place, which overlap. */
    static Preset tetrominoes() {
        return plain(
                "plain-tetrominoes",
                "plain Slot Attention that finds Tetrominoes, to be trained in minutes on a CPU",
                new Scene(35, Colours.FROM_0_TO_1, 4, 3, 48),
                new BroadcastArchitecture(
                        7,
                        7,
                        List.of(
                                Layer.convolution(CHANNELS, 3),
                                Layer.convolution(CHANNELS, 3),
                                Layer.transposed(4, 9, 5))),
                new Training(4000, 32, 2e-3, 200, 0.05, 1e-8));
    }

    /**
     * A grid of 8 by 8; the last layer makes 15 by 15 pixels of each place. The ground's grey is
     * near 0, as black is among Tetrominoes: with colours from 0 to 1 only the mean picture is
     * learnt.
     */
    static Preset clevr() {
        return plain(
                "plain-clevr",
                "plain Slot Attention for CLEVR-like scenes of 64 by 64, to be trained on a CPU",
                new Scene(64, new Colours(0.56, 0.2), 7, 4, 48),
                new BroadcastArchitecture(
                        8,
                        8,
                        List.of(
                                Layer.convolution(CHANNELS, 3),
                                Layer.convolution(CHANNELS, 3),
                                Layer.transposed(4, 15, 8))),
                new Training(24_000, 8, 1e-3, 300, 0.5, 1e-2));
    }

    /** What is seen: the height and width, the slots, and the encoder's stride and channels. */
    private record Scene(int side, Colours colours, int slots, int stride, int channels) {}

    /**
     * How it is trained: the rate falls from half of the steps on. With a larger {@code eps} slots
     * that share an object part: whichever has less of it becomes the mean of all features, which
     * is the ground.
     */
    private record Training(
            int steps, int batch, double rate, int warmUp, double norm, double eps) {}

    private static Preset plain(
            String name,
            String description,
            Scene scene,
            BroadcastArchitecture decoder,
            Training training) {
        int steps = training.steps();
        int decayFrom = steps / 2;
        return new Preset(
                name,
                description,
                new ObjectDiscoveryConfiguration(
                        scene.side(),
                        scene.side(),
                        scene.colours(),
                        scene.slots(),
                        SLOT_DIM,
                        new EncoderConfiguration.ContentAndPlace(scene.stride(), scene.channels()),
                        Presets.random(),
                        new GroupingConfiguration.SlotAttention(
                                ITERATIONS,
                                1,
                                SLOT_DIM,
                                training.eps(),
                                Presets.PYTORCH,
                                false,
                                HIDDEN,
                                true,
                                TRAINING_ITERATIONS),
                        new DecoderConfiguration.SpatialBroadcast(decoder, 0, false)),
                new TrainingRecipe(
                        steps,
                        training.batch(),
                        new LearningRateSchedule(
                                training.rate(),
                                training.warmUp(),
                                Decay.COSINE,
                                decayFrom,
                                steps - decayFrom,
                                0.01),
                        training.norm(),
                        Augmentation.NONE,
                        0,
                        Presets.SEED));
    }
}
