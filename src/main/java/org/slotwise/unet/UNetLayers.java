package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.training.initializer.Initializer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Downsample;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.ImageAttention;
import org.slotwise.layer.Layer;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.ResnetBlock.Resize;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.layer.Upsample;
import org.slotwise.layer.Window;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A U-Net: down to small maps, and up again, where each stage also sees what the way down kept.
 *
 * <pre>{@code
 * conv_in ─▶ stage ─▶ stage ─▶ half ··········kept·········· ▶ stage ─▶ stage ─▶ stage ─▶ conv_out
 *                                │                             ▲
 *                                └▶ stage ─▶ stage ··kept··▶ stage ─▶ stage ─▶ stage ─▶ twice
 *                                              │              ▲
 *                                              └─▶ middle ────┘
 * }</pre>
 *
 * <p>Parameters have the names of diffusers' {@code UNet2DConditionModel}, without slots those of
 * {@code UNet2DModel}.
 */
public final class UNetLayers implements Scriptable {

    private final UNetConfiguration sizes;
    private final TimeEmbedding times;
    private final TimeMlp time;
    private final Convolution first;
    private final List<UNetLevel> down = new ArrayList<>();
    private final UNetLevel.Stage middle;
    private final ResnetBlock afterMiddle;
    private final List<UNetLevel> up = new ArrayList<>();
    private final GroupNorm norm;
    private final Convolution last;

    /**
     * Declares a network.
     *
     * @param parameters declares under the network's name
     * @param sizes its sizes
     */
    public UNetLayers(Declarer parameters, UNetConfiguration sizes) {
        this.sizes = sizes;
        List<Integer> widths = sizes.widths();
        int levels = widths.size();
        int narrow = widths.get(0);
        int wide = widths.get(levels - 1);
        times = sizes.time();
        first = Convolution.of(parameters.under("conv_in"), sizes.in(), narrow, Window.same(3));
        time = TimeMlp.of(parameters.under("time_embedding"), narrow, 4 * narrow);

        Deque<Integer> kept = new ArrayDeque<>();
        kept.push(narrow);
        int channels = narrow;
        for (int i = 0; i < levels; i++) {
            Declarer p = parameters.under("down_blocks").under(Integer.toString(i));
            List<UNetLevel.Stage> stages = new ArrayList<>();
            for (int j = 0; j < sizes.blocks(); j++) {
                stages.add(stage(p, j, channels, i));
                channels = widths.get(i);
                kept.push(channels);
            }
            boolean more = i < levels - 1;
            if (more) {
                kept.push(channels);
            }
            Declarer half = p.under("downsamplers").under("0");
            down.add(new UNetLevel(stages, more ? Downsample.of(half, channels, false) : null));
        }

        Declarer m = parameters.under("mid_block");
        middle = new UNetLevel.Stage(residual(m, 0, wide, wide), middleAttention(m, wide));
        afterMiddle = residual(m, 1, wide, wide);

        for (int i = levels - 1; i >= 0; i--) {
            Declarer p = parameters.under("up_blocks").under(Integer.toString(levels - 1 - i));
            List<UNetLevel.Stage> stages = new ArrayList<>();
            for (int j = 0; j <= sizes.blocks(); j++) {
                stages.add(stage(p, j, channels + kept.pop(), i));
                channels = widths.get(i);
            }
            Declarer twice = p.under("upsamplers").under("0");
            up.add(new UNetLevel(stages, i > 0 ? Upsample.of(twice, channels) : null));
        }

        Declarer normOut = parameters.under("conv_norm_out");
        norm = GroupNorm.of(normOut, sizes.residual().groups(), narrow, sizes.residual().eps());
        Initializer start = start(StartingValues.convolution(narrow, 3));
        Declarer out = parameters.under("conv_out");
        last = Convolution.of(out, narrow, sizes.out(), Window.same(3), start, start);
    }

    private Initializer start(Initializer otherwise) {
        return sizes.zeroStart() ? Initializer.ZEROS : otherwise;
    }

    private UNetLevel.Stage stage(Declarer p, int number, int in, int level) {
        int width = sizes.widths().get(level);
        SlotLayer attention =
                sizes.attention().get(level)
                        ? transformer(p, number, width, level)
                        : SlotLayer.NONE;
        return new UNetLevel.Stage(residual(p, number, in, width), attention);
    }

    private ResnetBlock residual(Declarer p, int number, int in, int out) {
        return new ResnetBlock(
                p.under("resnets").under(Integer.toString(number)),
                in,
                out,
                4L * sizes.widths().get(0),
                sizes.residual(),
                Resize.SAME,
                sizes.zeroStart() ? Initializer.ZEROS : null);
    }

    private SlotLayer transformer(Declarer p, int number, int width, int level) {
        TransformerOptions options = sizes.transformer();
        return options == null
                ? SlotLayer.NONE
                : SpatialTransformer.of(
                        p.under("attentions").under(Integer.toString(number)),
                        width,
                        sizes.residual().groups(),
                        options,
                        options.positions() >> level,
                        sizes.zeroStart());
    }

    private SlotLayer middleAttention(Declarer p, int width) {
        if (sizes.transformer() != null) {
            return transformer(p, 0, width, sizes.widths().size() - 1);
        }
        ImageAttention attention =
                ImageAttention.of(
                        p.under("attentions").under("0"),
                        width,
                        sizes.residual().groups(),
                        sizes.residual().eps(),
                        sizes.middle().at(width));
        return new UnseeingAttention(attention);
    }

    /**
     * Computes the network.
     *
     * @param pass the call of the block
     * @param z (B, in, h, w), h and w multiples of what the levels halve
     * @param t times (B), of z's type
     * @param slots (B, K, D); anything for a network that is not told slots
     * @return (B, out, h, w)
     */
    public NDArray apply(Pass pass, NDArray z, NDArray t, NDArray slots) {
        return apply(pass, z, t, Told.of(slots));
    }

    /** The same, where somebody may see how places attend to slots. */
    NDArray apply(Pass pass, NDArray z, NDArray t, Told told) {
        NDArray e = FusedOps.silu(time.apply(pass, times.of(t))); // (B, 4 C)
        Deque<NDArray> kept = new ArrayDeque<>();

        NDArray h = first.apply(pass, z);
        kept.push(h);
        for (UNetLevel level : down) {
            for (UNetLevel.Stage stage : level.stages()) {
                h = stage.apply(pass, h, e, told);
                kept.push(h);
            }
            Layer half = level.resize();
            if (half != null) {
                h = half.apply(pass, h);
                kept.push(h);
            }
        }

        h = middle.apply(pass, h, e, told);
        h = Scope.next(h, afterMiddle.apply(pass, h, e));

        for (UNetLevel level : up) {
            for (UNetLevel.Stage stage : level.stages()) {
                NDArray both = joined(h, kept.pop());
                h = Scope.next(both, stage.apply(pass, both, e, told));
            }
            Layer twice = level.resize();
            if (twice != null) {
                h = Scope.next(h, twice.apply(pass, h));
            }
        }
        h = Scope.next(h, norm.activated(pass, h));
        return Scope.next(h, last.apply(pass, h));
    }

    /** Both maps side by side, which are freed. */
    private static NDArray joined(NDArray h, NDArray kept) {
        NDArray both = NDArrays.concat(new NDList(h, kept), 1);
        h.close();
        kept.close();
        return both;
    }

    /**
     * Its {@code forward} takes latents, times (of any number type; one for each picture, or one
     * for all) and, where the network is told them, slots, as in diffusers. {@inheritDoc}
     */
    @Override
    public ScriptModule script() {
        return UNetScript.of(this, sizes.transformer() != null);
    }

    TimeEmbedding times() {
        return times;
    }

    TimeMlp time() {
        return time;
    }

    Convolution first() {
        return first;
    }

    List<UNetLevel> down() {
        return down;
    }

    UNetLevel.Stage middle() {
        return middle;
    }

    ResnetBlock afterMiddle() {
        return afterMiddle;
    }

    List<UNetLevel> up() {
        return up;
    }

    GroupNorm norm() {
        return norm;
    }

    Convolution last() {
        return last;
    }
}
