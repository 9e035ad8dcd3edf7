%% What Erlang/OTP's own supervisor does in the scenarios of a file, written as traces.
%%
%%     erl -noshell -run otp main SCENARIOS >TRACES
%%
%% tests/oracle/README.md has the grammar of both.  Scenarios run side by side, each on its own
%% clock: act number n happens n ticks after the start, however long the acts before it took.
-module(otp).
-behaviour(supervisor).
-export([main/1, init/1, start_worker/3, start_supervisor/3, work/3]).

main([File]) ->
    logger:set_primary_config(level, none),
    {ok, Scenarios} = file:consult(File),
    ets:new(stalls, [public, named_table, duplicate_bag]),
    spawn_link(fun watch/0),
    Traces = play(lists:zip(lists:seq(0, length(Scenarios) - 1), Scenarios), [], 20),
    [io:put_chars(Trace) || {_, Trace} <- lists:sort(Traces)],
    halt().

now_ms() -> erlang:monotonic_time(millisecond).

%% So many at once that they stay far from each other's deadlines.
play([], Traces, _) -> Traces;
play(Scenarios, Traces, Tries) when Tries > 0 ->
    {Now, Later} = lists:split(min(300, length(Scenarios)), Scenarios),
    Self = self(),
    [spawn_link(fun() -> timer:sleep(N rem 50 * 4), Self ! {trace, N, try_it(N, S)} end) || {N, S} <- Now],
    New = [receive {trace, N, T} -> {N, T} end || {N, _} <- Now],
    Good = [{N, T} || {N, T} <- New, T =/= stalled],
    play([{N, S} || {N, S} <- Now, lists:keymember(N, 1, Good) =:= false] ++ Later, Good ++ Traces,
         case Good of [] -> Tries - 1; _ -> Tries end).

%% On a busy machine all of Erlang stands still now and then, and whatever was due meanwhile happens
%% at once: such a scenario is played again.
watch() ->
    Due = now_ms() + 5,
    timer:sleep(5),
    ets:insert(stalls, [{now_ms(), now_ms() - Due} || now_ms() - Due > 20]),
    watch().

try_it(N, S) ->
    Began = now_ms(),
    Trace = run(N, S),
    Harm = case is_slow(S) of true -> 20; false -> 150 end,
    timer:sleep(30),
    case [Late || {At, Late} <- ets:tab2list(stalls), At >= Began, Late > Harm] of
        [] -> Trace;
        _ -> stalled
    end.

is_slow({_, _, _, _, Slow, _}) when Slow > 0 -> true;
is_slow(Term) when is_tuple(Term) -> is_slow(tuple_to_list(Term));
is_slow(Term) when is_list(Term) -> lists:any(fun is_slow/1, Term);
is_slow(_) -> false.

%% ---- processes of the tree

%% Everything that starts asks the registry of its scenario: which start of it is this?
count(Tab, Name) -> ets:update_counter(Tab, {starts, Name}, 1, {{starts, Name}, 0}).
tell(Tab, Event) -> [{driver, Driver}] = ets:lookup(Tab, driver), Driver ! {event, Event}.
name(Letter, N) -> list_to_atom(Letter ++ integer_to_list(N)).
where(Tab, Name) ->
    case ets:lookup(Tab, Name) of
        [{_, Pid}] -> case is_process_alive(Pid) of true -> Pid; false -> undefined end;
        [] -> undefined
    end.

start_worker(Tab, {From, To, Slow}, Name) ->
    N = count(Tab, Name),
    case From > 0 andalso N >= From andalso N =< To of
        true -> tell(Tab, {startfail, Name, N}), {error, nope};
        false ->
            {ok, Pid} = proc_lib:start_link(?MODULE, work, [Tab, Name, Slow]),
            tell(Tab, {start, Name, N}),
            {ok, Pid}
    end.

work(Tab, Name, Slow) ->
    process_flag(trap_exit, true),
    ets:insert(Tab, {Name, self()}),
    proc_lib:init_ack({ok, self()}),
    receive
        {die, Reason} -> tell(Tab, {die, Name, Reason}), exit(Reason);
        {'EXIT', _, killed} -> exit(killed); % its supervisor was killed: nobody waits for it
        {'EXIT', _, Reason} -> timer:sleep(Slow), tell(Tab, {stop, Name, Reason}), exit(Reason)
    end.

start_supervisor(Tab, Name, Spec) ->
    case supervisor:start_link(?MODULE, Spec) of
        {ok, Pid} -> ets:insert(Tab, {Name, Pid}), {ok, Pid};
        Other -> Other
    end.

init(Spec) -> {ok, Spec}.

%% ---- a scenario as OTP wants it

restart(R) -> lists:nth(R + 1, [permanent, transient, temporary]).
shutdown(0) -> brutal_kill;
shutdown(-1) -> infinity;
shutdown(Ms) -> Ms.

%% Numbers workers and supervisors in the order in which they are written.
number() -> put(workers, 0), put(supervisors, 0).
next(Kind) -> N = get(Kind), put(Kind, N + 1), N.

flags({Strategy, Intensity, Auto, _}) ->
    {I, Period} = case Intensity of {_, _} -> Intensity; _ -> {Intensity, 3600} end,
    #{strategy => lists:nth(Strategy + 1, [one_for_one, one_for_all, rest_for_one, simple_one_for_one]),
      intensity => I, period => Period,
      auto_shutdown => lists:nth(Auto + 1, [never, any_significant, all_significant])}.

supervisor(Tab, {3, _, _, [Child]} = S) -> {flags(S), [pattern(Tab, Child)]};
supervisor(Tab, {_, _, _, Children} = S) -> {flags(S), [child(Tab, C) || C <- Children]}.

worker(Tab, {R, Sig, From, To, Slow, Shutdown}) ->
    #{restart => restart(R), significant => Sig == 1, shutdown => shutdown(Shutdown),
      start => {?MODULE, start_worker, [Tab, {From, To, Slow}]}}.

child(Tab, {sup, R, Sig, Spec}) ->
    Name = name("s", next(supervisors)),
    #{id => Name, restart => restart(R), significant => Sig == 1, shutdown => infinity, type => supervisor,
      start => {?MODULE, start_supervisor, [Tab, Name, supervisor(Tab, Spec)]}};
child(Tab, {R, Sig, From, To}) -> child(Tab, {R, Sig, From, To, 0, 1000});
child(Tab, Worker) ->
    Name = name("c", next(workers)),
    #{start := {M, F, Args}} = Spec = worker(Tab, Worker),
    Spec#{id => Name, start => {M, F, Args ++ [Name]}}.

pattern(Tab, {R, Sig, From, To}) -> pattern(Tab, {R, Sig, From, To, 0, 1000});
pattern(Tab, Worker) -> (worker(Tab, Worker))#{id => pattern}.

%% ---- one scenario

run(N, {signals, _, _, _, _} = S) -> otp_signals:run(N, S);
run(N, {Strategy, Intensity, Auto, Children, Acts}) ->
    put(out, [io_lib:format("## ~w~n", [N])]),
    Tab = ets:new(registry, [public]),
    ets:insert(Tab, {driver, self()}),
    number(),
    0 = next(supervisors),
    Spec = supervisor(Tab, {Strategy, Intensity, Auto, Children}),
    Tick = case Intensity of {_, _} -> align(), 1000; _ -> 400 end,
    put(tick, Tick),
    put(due, now_ms()),
    Self = self(),
    {Parent, Monitor} = spawn_monitor(fun() -> parent(Self, Tab, Spec) end),
    wait(Tick),
    [begin act(Tab, Parent, Act), wait(Tick) end || Act <- Acts],
    exit(Parent, kill),
    receive {'DOWN', Monitor, _, _, _} -> ok end,
    lists:reverse(get(out)).

%% Restarts are counted by the second: all acts stay in the middle of one.
align() -> timer:sleep(1300 - now_ms() rem 1000).

parent(Driver, Tab, Spec) ->
    process_flag(trap_exit, true),
    case start_supervisor(Tab, s0, Spec) of
        {ok, Pid} -> guard(Driver, Pid);
        {error, _} -> Driver ! {event, {sup_start, error}}
    end.

guard(Driver, Pid) ->
    receive
        stop -> exit(Pid, shutdown), guard(Driver, Pid);
        {'EXIT', Pid, Reason} -> Driver ! {event, {sup_exit, Reason}}
    end.

wait(Ms) ->
    Due = get(due) + Ms,
    put(due, Due),
    timer:sleep(max(0, Due - now_ms())),
    flush([]).

print(Format, Args) -> put(out, [io_lib:format(Format ++ "~n", Args) | get(out)]).

%% The children of a dynamic supervisor stop in no order: neighbouring lines are sorted.
flush(Stops) ->
    receive
        {event, {stop, Name, Reason}} -> flush([{stop, Name, Reason} | Stops]);
        {event, Event} -> show_stops(Stops), show(Event), flush([])
    after 0 -> show_stops(Stops)
    end.

show_stops(Stops) ->
    InOrder = lists:reverse(Stops),
    [show(E) || E <- sort_dynamic(InOrder)].

sort_dynamic([]) -> [];
sort_dynamic(Events) ->
    IsDynamic = fun({stop, Name, _}) -> hd(atom_to_list(Name)) == $d end,
    {Dynamic, Rest} = lists:splitwith(IsDynamic, Events),
    {Others, More} = lists:splitwith(fun(E) -> not IsDynamic(E) end, Rest),
    lists:sort(Dynamic) ++ Others ++ sort_dynamic(More).

show({Kind, A, B}) -> print("~w ~w ~w", [Kind, A, B]);
show({Kind, A}) -> print("~w ~w", [Kind, A]).

%% ---- acts

reason(Why) -> lists:nth(Why, [boom, normal, shutdown, {shutdown, x}, kill]).

act(Tab, _, {I, Why}) when is_integer(I) -> kill(Tab, name("c", I), reason(Why));
act(Tab, _, {d, I, Why}) -> kill(Tab, name("d", I), reason(Why));
act(_, _, {wait, Ticks}) -> [wait(get(tick)) || _ <- lists:seq(1, Ticks)];
act(_, Parent, stop) -> print("> stop", []), Parent ! stop;
act(Tab, _, {add, S, I}) ->
    call(Tab, S, {start, name("d", I)}, fun(Sup) -> added(supervisor:start_child(Sup, [name("d", I)])) end);
act(Tab, _, {grow, S, I, Child}) ->
    put(workers, I),
    Spec = child(Tab, Child),
    call(Tab, S, {start, name("c", I)}, fun(Sup) -> added(supervisor:start_child(Sup, Spec)) end);
act(Tab, _, {end_d, S, I}) ->
    Name = name("d", I),
    call(Tab, S, {terminate, Name}, fun(Sup) ->
        case where(Tab, Name) of
            undefined -> {error, not_found}; % OTP is asked by pid, natlet by a name
            Pid -> supervisor:terminate_child(Sup, Pid)
        end
    end);
act(Tab, _, {terminate, S, Id}) ->
    call(Tab, S, {terminate, Id}, fun(Sup) -> supervisor:terminate_child(Sup, Id) end);
act(Tab, _, {restart, S, Id}) ->
    call(Tab, S, {restart, Id}, fun(Sup) -> added(supervisor:restart_child(Sup, Id)) end);
act(Tab, _, {delete, S, Id}) ->
    call(Tab, S, {delete, Id}, fun(Sup) -> supervisor:delete_child(Sup, Id) end);
act(Tab, _, {which, S}) ->
    call(Tab, S, which, fun(Sup) -> which(Tab, supervisor:which_children(Sup)) end);
act(Tab, _, {count, S}) ->
    call(Tab, S, count, fun(Sup) -> [N || {_, N} <- supervisor:count_children(Sup)] end).

kill(Tab, Name, Reason) ->
    case where(Tab, Name) of
        undefined -> print("no ~w", [Name]);
        Pid when Reason =:= kill -> print("> ~w ~w", [Name, Reason]), exit(Pid, kill);
        Pid -> print("> ~w ~w", [Name, Reason]), Pid ! {die, Reason}
    end.

added({ok, _}) -> ok;
added({error, {nope, _}}) -> {error, nope};
added({error, {shutdown, {failed_to_start_child, _, nope}}}) -> {error, nope}; % deep inside
added({error, {already_started, _}}) -> {error, already_started};
added(Other) -> Other.

%% In the order of their start, which the answer has reversed; dynamic ones by number.
which(Tab, Children) ->
    Names = maps:from_list([{Pid, Name} || {Name, Pid} <- ets:tab2list(Tab), is_pid(Pid)]),
    All = [case Id of undefined -> {maps:get(Pid, Names, restarting), state(Pid)}; _ -> {Id, state(Pid)} end
           || {Id, Pid, _, _} <- Children],
    case Children of
        [{undefined, _, _, _} | _] -> lists:sort(All);
        _ -> lists:reverse(All)
    end.
state(Pid) when is_pid(Pid) -> running;
state(undefined) -> down;
state(State) -> State.

%% A supervisor that stops its children answers later, and the answer stands where it came; one
%% that ends meanwhile does not.
call(Tab, S, What, Ask) ->
    case where(Tab, name("s", S)) of
        undefined ->
            print("no s~w for ~w", [S, What]);
        Sup ->
            Self = self(),
            print("> s~w ~w", [S, What]),
            spawn(fun() -> try Self ! {event, {answer, Ask(Sup)}} catch exit:_ -> gone end end)
    end.
