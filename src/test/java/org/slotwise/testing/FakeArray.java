package org.slotwise.testing;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * An array that claims another device or type than it has: for checks of what cannot be made here
 * (a second device) or would end the process (bfloat16). Native code must never see one: it would
 * fail with a ClassCastException.
 */
public final class FakeArray {

    private FakeArray() {}

    /** An array that claims to be on a device. */
    public static NDArray on(Device device, NDArray array) {
        return claiming("getDevice", device, array);
    }

    /** An array that claims a type. */
    public static NDArray ofType(DataType type, NDArray array) {
        return claiming("getDataType", type, array);
    }

    private static NDArray claiming(String method, Object answer, NDArray array) {
        return (NDArray)
                Proxy.newProxyInstance(
                        FakeArray.class.getClassLoader(),
                        new Class<?>[] {NDArray.class},
                        (proxy, called, arguments) -> {
                            if (called.getName().equals(method)) {
                                return answer;
                            }
                            try {
                                return called.invoke(array, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }
}
