package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Script;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;

/**
 * All iterations of Slot Attention in one call of the engine in place of some twenty for each: for
 * the paper's module with one head, and projections that have moved to the slots' side ({@link
 * AbsorbedFeatures}), whose operations these are. For a small call the numbers are so few that
 * {@link SlotAttentionLoops} compute them.
 *
 * <p>With a single image calls are what takes time. On a GPU the paths stay apart, since there the
 * engine would compile this at its first calls, for seconds.
 */
final class SlotAttentionSteps {

    private static final String ARGUMENTS =
            """
            (self: __torch__.Script,
              features: Tensor,
              start: Tensor,
              input_gain: Tensor,
              input_offset: Tensor,
              slot_gain: Tensor,
              slot_offset: Tensor,
              wq: Tensor,
              wk: Tensor,
              wv: Tensor,
              w_ih: Tensor,
              w_hh: Tensor,
              b_ih: Tensor,
              b_hh: Tensor,
            %s
              options: Tensor) -> Tuple[Tensor, Tensor]:
              times = int(torch.select(options, 0, 0))
              eps = float(torch.select(options, 0, 1))
              scale = float(torch.select(options, 0, 2))
              input_eps = float(torch.select(options, 0, 3))
              slot_eps = float(torch.select(options, 0, 4))
              fed_eps = float(torch.select(options, 0, 5))
              smallest = float(torch.select(options, 0, 6))
              x = torch.layer_norm(features, [torch.size(features, 2)], input_gain, input_offset, input_eps)
            """;

    private static final String FED =
            """
                h = torch.layer_norm(s, [torch.size(s, 2)], fed_gain, fed_offset, fed_eps)
                h = torch.relu_(torch.linear(h, w1, b1))
                s = torch.add(s, torch.linear(h, w2, b2))
            """;

    private static final String STEPS =
            """
              columns = torch.transpose(x, 1, 2)
              rest = torch.mul(torch.sum(x, [1], True), eps)
              least = torch.mul(torch.size(x, 1), eps)
              values = torch.transpose(wv, 0, 1)
              s = start
              a = start
              for _ in range(times):
                q = torch.layer_norm(s, [torch.size(s, 2)], slot_gain, slot_offset, slot_eps)
                q = torch.mul(torch.linear(q, wq), scale)
                a = torch.softmax(torch.matmul(torch.matmul(q, wk), columns), 1)
                total = torch.add(torch.sum(a, [2], True), least)
                if torch.lt(eps, smallest):
                  total = torch.masked_fill(total, torch.eq(total, 0), 1)
                u = torch.matmul(torch.add(torch.matmul(a, x), rest), values)
                u = torch.flatten(torch.div(u, total), 0, 1)
                t = torch.gru_cell(u, torch.flatten(s, 0, 1), w_ih, w_hh, b_ih, b_hh)
                s = torch.reshape(t, torch.size(start))
            %s
              return (s, a)
            """;

    private static final String FED_WITH_GRAPH =
            """
                h = torch.layer_norm(s, [d], fed_gain, fed_offset, fed_eps)
                h = torch.relu_(torch.addmm(b1, h, torch.t(w1)))
                s = torch.add(s, torch.addmm(b2, h, torch.t(w2)))
            """;

    /**
     * With a graph: every operation has another behind it that takes gradients back, so that there
     * are as few as can be. Slots of all images are rows of one matrix, a GRU's gates r and z are
     * one sum, and its last line (1 - z) n + z s is one operation. Images are products of their
     * own. Weights a + eps are not made: the graph would hold them beside a.
     */
    private static final String STEPS_WITH_GRAPH =
            """
              columns = torch.transpose(x, 1, 2)
              rest = torch.mul(torch.sum(x, [1], True), eps)
              least = torch.mul(torch.size(x, 1), eps)
              queries = torch.t(torch.mul(wq, scale))
              values = torch.t(wv)
              ih = torch.t(w_ih)
              hh = torch.t(w_hh)
              d = torch.size(start, 2)
              gates = [torch.mul(d, 2), d]
              images = [torch.size(start, 0), torch.size(start, 1), torch.size(x, 2)]
              s = torch.flatten(start, 0, 1)
              a = start
              for _ in range(times):
                q = torch.layer_norm(s, [d], slot_gain, slot_offset, slot_eps)
                q = torch.reshape(torch.mm(torch.mm(q, queries), wk), images)
                a = torch.softmax(torch.bmm(q, columns), 1)
                total = torch.add(torch.sum(a, [2], True), least)
                if torch.lt(eps, smallest):
                  total = torch.masked_fill(total, torch.eq(total, 0), 1)
                u = torch.flatten(torch.div(torch.baddbmm(rest, a, x), total), 0, 1)
                i, j = torch.split_with_sizes(torch.addmm(b_ih, torch.mm(u, values), ih), gates, 1)
                k, l = torch.split_with_sizes(torch.addmm(b_hh, s, hh), gates, 1)
                r, z = torch.split_with_sizes(torch.sigmoid(torch.add(i, k)), [d, d], 1)
                s = torch.lerp(torch.tanh(torch.addcmul(j, r, l)), s, z)
            %s
              return (torch.reshape(s, torch.size(start)), a)
            """;

    /** As written: what the engine would make of them after some calls has other last bits. */
    private static final Script WITHOUT_GRAPH = Script.plain(functions(STEPS, FED));

    private static final Script WITH_GRAPH =
            Script.plain(functions(STEPS_WITH_GRAPH, FED_WITH_GRAPH));

    private static final ConcurrentMap<List<Double>, NDArray> OPTIONS = new ConcurrentHashMap<>();

    private final SlotAttentionLayers layers;
    private final @Nullable FeedForward feedForward;
    private final double eps;
    private final SlotAttentionLoops loops;

    private SlotAttentionSteps(
            SlotAttentionLayers layers, @Nullable FeedForward feedForward, double eps) {
        this.layers = layers;
        this.feedForward = feedForward;
        this.eps = eps;
        loops = new SlotAttentionLoops(layers, feedForward, eps);
    }

    private static String functions(String steps, String fed) {
        return function("steps", "", steps.formatted(""))
                + function(
                        "fed_steps",
                        """
                          fed_gain: Tensor,
                          fed_offset: Tensor,
                          w1: Tensor,
                          b1: Tensor,
                          w2: Tensor,
                          b2: Tensor,
                        """,
                        steps.formatted(fed.stripTrailing()));
    }

    private static String function(String name, String fed, String steps) {
        return "def " + name + ARGUMENTS.formatted(fed) + steps;
    }

    /** The steps of a module, or null if it is another than the paper's. */
    static @Nullable SlotAttentionSteps of(
            SlotAttentionLayers layers,
            SlotAttentionVariant variant,
            int heads,
            @Nullable Block feedForward,
            double eps) {
        boolean unbiased =
                layers.key() != null && layers.value() != null && !layers.key().isBiased();
        boolean known = feedForward == null || feedForward.getClass() == FeedForward.class;
        return variant.equals(SlotAttentionVariant.PAPER) && heads == 1 && unbiased && known
                ? new SlotAttentionSteps(layers, (FeedForward) feedForward, eps)
                : null;
    }

    /** How small calls are computed. */
    SlotAttentionLoops loops() {
        return loops;
    }

    /**
     * Whether so many steps, with features, conditioning and perhaps a slot mask, can be taken so.
     */
    boolean fit(NDList in, int times) {
        NDArray x = in.get(0);
        NDArray start = in.get(1);
        boolean known =
                x.getDataType() == DataType.FLOAT32
                        || x.getDataType() == DataType.FLOAT64
                        || !NoGraph.isRecording();
        return known
                && SlotAttentionInputs.slotMask(in) == null
                && !x.getDevice().isGpu()
                && (loops.fit(x, start, times)
                        || AttendedFeatures.absorbs(
                                layers, x.getShape(), 1, start.getShape().get(1), times));
    }

    /**
     * Takes steps.
     *
     * @param features (B, N, F)
     * @param start the slots' initial values (B, K, D)
     * @param times how many steps, at least 1
     * @return slots (B, K, D), and the attention (B, K, N) that led to them
     */
    NDList take(Pass pass, NDArray features, NDArray start, int times) {
        if (loops.fit(features, start, times)) {
            return loops.take(pass, features, start, times);
        }
        LayerNorm inputNorm = (LayerNorm) layers.inputNorm();
        LayerNorm slotNorm = (LayerNorm) layers.slotNorm();
        List<NDArray> arguments = new ArrayList<>(List.of(features, start));
        arguments.addAll(inputNorm.values(pass));
        arguments.addAll(slotNorm.values(pass));
        arguments.add(((Linear) layers.query()).weight(pass));
        arguments.add(Objects.requireNonNull(layers.key()).weight(pass));
        arguments.add(Objects.requireNonNull(layers.value()).weight(pass));
        arguments.addAll(Objects.requireNonNull(layers.gru()).values(pass));
        if (feedForward != null) {
            arguments.addAll(feedForward.values(pass));
        }
        arguments.add(
                OPTIONS.computeIfAbsent(
                        List.of(
                                (double) times,
                                eps,
                                Math.sqrt(1 / (double) layers.kvqDim()),
                                inputNorm.eps(),
                                slotNorm.eps(),
                                feedForward == null ? 0 : feedForward.normEps(),
                                Scalars.smallest(features.getDataType())),
                        numbers ->
                                Script.constant(numbers.stream().mapToDouble(x -> x).toArray())));
        Script script = NoGraph.isRecording() ? WITH_GRAPH : WITHOUT_GRAPH;
        return script.call(
                feedForward == null ? "steps" : "fed_steps", arguments.toArray(NDArray[]::new));
    }
}
