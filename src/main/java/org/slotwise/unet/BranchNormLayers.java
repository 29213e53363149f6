package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.ResnetBlock.Resize;
import org.slotwise.layer.Window;

/**
 * The network of {@link BranchNormUNet} as a drawing: each line a size, each word a part. After a
 * star the map is kept; a plus joins what was kept last in front of the map.
 */
final class BranchNormLayers {

    private static final String[] DOWN = {
        "* r1:1 * r2:1 * d1 *",
        "r3:2 t1 * r4:2 t2 * d2 *",
        "r5:3 t3 * r6:3 t4 * d3 *",
        "r7:4 t5 * r8:4 t6 *",
    };
    private static final String MIDDLE = "r9:4 t7 r10:4";
    private static final String[] UP = {
        "+ r11:4 t8  + r12:4 t9  + r13:4 t10 u1",
        "+ r14:3 t11 + r15:3 t12 + r16:3 t13 u2",
        "+ r17:2 t14 + r18:2 t15 + r19:2 t16 u3",
        "+ r20:1     + r21:1     + r22:1",
    };

    /** A part of the network: a map (B, C, h, w), silu of the time's embedding, and slots. */
    @FunctionalInterface
    interface Part {
        NDArray apply(Pass pass, NDArray x, NDArray e, Told told);
    }

    /** A word of the drawing: a part, or null to keep or to join. */
    private record Step(String word, Part part) {}

    private final Convolution first;
    private final List<Step> steps = new ArrayList<>();
    private final GroupNorm norm;
    private final Convolution last;

    BranchNormLayers(Declarer parameters, BranchNormConfiguration sizes) {
        int width = sizes.channels();
        Window around = Window.same(5);
        first = Convolution.of(parameters.under("conv1"), sizes.latents(), width, around);
        Deque<Integer> kept = new ArrayDeque<>();
        int channels = width;
        String drawing = String.join(" ", DOWN) + " " + MIDDLE + " " + String.join(" ", UP);
        for (String word : drawing.split(" +", -1)) {
            Declarer p = parameters.under(word.replaceAll(":.*", ""));
            switch (word.charAt(0)) {
                case '*' -> {
                    kept.push(channels);
                    steps.add(new Step(word, BranchNormLayers::nothing));
                }
                case '+' -> {
                    channels += kept.pop();
                    steps.add(new Step(word, BranchNormLayers::nothing));
                }
                case 't' ->
                        steps.add(
                                new Step(
                                        word,
                                        BranchNormTransformer.of(
                                                p,
                                                channels,
                                                sizes.slotDim(),
                                                sizes.headSize(),
                                                sizes.repeats())));
                default -> {
                    int in = channels;
                    Resize resize = resize(word);
                    if (resize == Resize.SAME) {
                        channels = width * Integer.parseInt(word.replaceAll(".*:", ""));
                    }
                    steps.add(
                            new Step(
                                    word,
                                    BranchNormResidual.of(
                                            p,
                                            in,
                                            channels,
                                            sizes.timeDim(),
                                            resize,
                                            sizes.dropout())));
                }
            }
        }
        norm = GroupNorm.of(parameters.under("norm"), BranchNormResidual.GROUPS, channels);
        last = Convolution.of(parameters.under("conv2"), channels, sizes.latents(), around);
    }

    private static NDArray nothing(Pass pass, NDArray x, NDArray e, Told told) {
        return x;
    }

    private static Resize resize(String word) {
        return switch (word.charAt(0)) {
            case 'd' -> Resize.HALF;
            case 'u' -> Resize.TWICE;
            default -> Resize.SAME;
        };
    }

    /** Of latents (B, C, h, w), silu of the time's embedding (B, E), and slots (B, K, D). */
    NDArray apply(Pass pass, NDArray z, NDArray e, Told told) {
        Deque<NDArray> kept = new ArrayDeque<>();
        NDArray h = first.apply(pass, z);
        for (Step step : steps) {
            switch (step.word.charAt(0)) {
                case '*' -> kept.push(h);
                case '+' -> {
                    NDArray before = kept.pop();
                    NDArray both = NDArrays.concat(new NDList(before, h), 1);
                    before.close();
                    h = Scope.next(h, both);
                }
                default -> {
                    NDArray next = step.part.apply(pass, h, e, told);
                    if (kept.peek() != h) {
                        h.close();
                    }
                    h = next;
                }
            }
        }
        h = Scope.next(h, norm.apply(pass, h));
        return Scope.next(h, last.apply(pass, h));
    }
}
