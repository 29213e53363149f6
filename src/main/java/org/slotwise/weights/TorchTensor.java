package org.slotwise.weights;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** A tensor as the pickle of PyTorch's format describes it: a view of a storage. */
final class TorchTensor {

    private static final int MAX_AXES = 64;

    /** How many elements are copied at a time. */
    private static final int CHUNK = 8192;

    private final Storage storage;
    private final String type;
    private final long offset; // in elements, as sizes and strides
    private final long[] sizes;
    private final long[] strides;
    private final boolean negated;

    private TorchTensor(
            Storage storage,
            String type,
            long offset,
            long[] sizes,
            long[] strides,
            boolean negated) {
        this.storage = storage;
        this.type = type;
        this.offset = offset;
        this.sizes = sizes;
        this.strides = strides;
        this.negated = negated;
    }

    /**
     * A storage: the entry data/key of the archive.
     *
     * @param elements how many it has; bytes if it is untyped
     */
    record Storage(String type, String key, long elements) {

        /** Whether its elements are of a type, and not bytes. */
        boolean isTyped() {
            return !type.equals("Untyped");
        }

        /** From a persistent id: ("storage", class, key, device, number of elements). */
        static Storage of(List<Object> id) throws IOException {
            if (id.size() == 5
                    && "storage".equals(id.get(0))
                    && id.get(1) instanceof TorchGlobal type
                    && type.name().endsWith("Storage")
                    && id.get(2) instanceof String key
                    && id.get(4) instanceof Long elements
                    && elements >= 0) {
                String name = type.name().substring(type.name().lastIndexOf('.') + 1);
                return new Storage(
                        name.substring(0, name.length() - "Storage".length()), key, elements);
            }
            throw new IOException("the pickle has a storage that is not one");
        }
    }

    /**
     * From (storage, offset, size, stride, requires_grad, hooks, metadata), the arguments of
     * _rebuild_tensor_v2; those of v3 have the type before the metadata, v1 ends after the stride.
     *
     * @return the tensor, or an {@link UnreadableTensor}
     */
    static Object of(List<Object> arguments, boolean typed) throws IOException {
        if (arguments.size() < (typed ? 7 : 4)
                || !(arguments.get(0) instanceof Storage storage)
                || !(arguments.get(1) instanceof Long offset)) {
            throw new IOException("the pickle has a tensor that is not one");
        }
        long[] sizes = numbers(arguments.get(2));
        long[] strides = numbers(arguments.get(3));
        if (offset < 0 || sizes.length != strides.length) {
            throw new IOException("the pickle has a tensor that is not one");
        }
        String type = storage.type;
        if (typed && arguments.get(6) instanceof TorchGlobal named) {
            type = named.name().substring(named.name().lastIndexOf('.') + 1);
        }
        boolean negated = false;
        int flags = typed ? 7 : 6;
        if (arguments.size() > flags && arguments.get(flags) instanceof TorchDict metadata) {
            for (TorchDict.Item flag : metadata.items()) {
                if (flag.value() instanceof Boolean set && !set) {
                    continue;
                }
                if ("conj".equals(flag.key())) {
                    return new UnreadableTensor(
                            "a conjugate view", "torch.view_as_real(%s.resolve_conj())");
                }
                if (!"neg".equals(flag.key())) {
                    return new UnreadableTensor(
                            "a tensor marked as " + PythonPath.literal(flag.key()), "%s.clone()");
                }
                negated = true;
            }
        }
        return new TorchTensor(storage, type, offset, sizes, strides, negated);
    }

    private static long[] numbers(Object value) throws IOException {
        List<Object> list = TorchPickle.list(value);
        if (list.size() > MAX_AXES) {
            throw new IOException("the pickle has a tensor with " + list.size() + " axes");
        }
        long[] numbers = new long[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!(list.get(i) instanceof Long number) || number < 0) {
                throw new IOException("the pickle has a tensor with a size below 0 or none at all");
            }
            numbers[i] = number;
        }
        return numbers;
    }

    /** Where its elements are. */
    Storage storage() {
        return storage;
    }

    /** "Float" as in torch.FloatStorage, or "uint16" of types that have no storage class. */
    String type() {
        return type;
    }

    Shape shape() {
        return new Shape(sizes);
    }

    /** Whether its elements lie in its storage in row-major order, one after the other. */
    boolean isContiguous() {
        long expected = 1;
        for (int i = sizes.length - 1; i >= 0; i--) {
            if (sizes[i] != 1 && strides[i] != expected) {
                return false;
            }
            expected *= Math.max(sizes[i], 1);
        }
        return true;
    }

    /**
     * Where the last element lies, or -1 if there is none.
     *
     * @throws ArithmeticException if that is more than a long holds
     */
    long last() {
        long last = offset;
        for (int i = 0; i < sizes.length; i++) {
            if (sizes[i] == 0) {
                return -1;
            }
            last = Math.addExact(last, Math.multiplyExact(sizes[i] - 1, strides[i]));
        }
        return last;
    }

    /** Whether the sign of its elements is the other one. */
    boolean isNegated() {
        return negated;
    }

    /**
     * Copies the tensor's elements in row-major order out of its storage into an array's memory.
     */
    void gather(ByteBuffer stored, ElementFormat elements, ByteBuffer to) {
        int size = elements.bytes();
        byte[] chunk = new byte[size * CHUNK];
        int filled = 0;
        long[] index = new long[sizes.length];
        long at = offset;
        boolean contiguous = isContiguous();
        long count = shape().size();
        for (long done = 0; done < count; ) {
            if (contiguous) {
                filled = (int) Math.min(chunk.length, (count - done) * size);
                stored.get((int) ((offset + done) * size), chunk, 0, filled);
                done += filled / size;
            } else {
                stored.get((int) (at * size), chunk, filled, size);
                filled += size;
                done++;
                at = next(index, at);
            }
            if (filled == chunk.length || done == count) {
                elements.decode(chunk, filled, to);
                filled = 0;
            }
        }
    }

    /** Where the element after the one at an index lies; that index becomes the next. */
    private long next(long[] index, long place) {
        long at = place;
        for (int i = sizes.length - 1; i >= 0; i--) {
            at += strides[i];
            if (++index[i] < sizes[i]) {
                break;
            }
            at -= sizes[i] * strides[i];
            index[i] = 0;
        }
        return at;
    }
}
