use super::*;
use tokio::net::UnixStream;

fn node() -> NodeId {
    "0123456789abcdef0123456789abcdef".parse().unwrap()
}

fn order(ticket: &str) -> ExecOrder {
    ExecOrder {
        ticket: ticket.to_owned(),
        task: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        container: "web".to_owned(),
        command: vec!["sh".to_owned()],
        terminal: true,
    }
}

#[tokio::test]
async fn session_is_opened_by_its_token_alone_and_only_once() {
    let commands = Commands::default();
    let (sender, mut agent) = mpsc::unbounded_channel();
    let _reachable = commands.reach(&node(), sender);
    let offer = commands.offer(&node(), order("t")).unwrap();
    assert_eq!(commands.open(&offer.session_id, "wrong").await.unwrap_err(), NotOpened::Unknown);
    assert_eq!(commands.open("ecs-execute-command-0", &offer.token).await.unwrap_err(), NotOpened::Unknown);

    let (ours, theirs) = UnixStream::pair().unwrap();
    let connect = async {
        let Some(ToAgent::Exec(order)) = agent.recv().await else { panic!("an order") };
        let (from, to) = ours.into_split();
        commands.claim(&order.ticket, from, to);
    };
    let (opened, ()) = tokio::join!(commands.open(&offer.session_id, &offer.token), connect);
    let mut command = opened.unwrap();
    assert_eq!(commands.open(&offer.session_id, &offer.token).await.unwrap_err(), NotOpened::Unknown);

    let (mut from, mut to) = theirs.into_split();
    command.input.send(ToCommand::Input(b"ls\n".to_vec())).await.unwrap();
    let heard: ToCommand = read_frame(&mut from).await.unwrap().unwrap();
    assert_eq!(heard, ToCommand::Input(b"ls\n".to_vec()));
    write_frame(&mut to, &FromCommand::Output(vec![0, 255, 10])).await.unwrap();
    assert_eq!(command.output.recv().await, Some(FromCommand::Output(vec![0, 255, 10])));
    drop(command);
    assert!(
        read_frame::<ToCommand>(&mut from).await.unwrap().is_none(),
        "the agent learns that nobody is there"
    );
}

#[tokio::test]
async fn node_that_is_not_connected_is_said_to_be_out_of_reach() {
    let commands = Commands::default();
    let (sender, agent) = mpsc::unbounded_channel();
    let reachable = commands.reach(&node(), sender);
    let offer = commands.offer(&node(), order("t")).unwrap();
    drop((reachable, agent));
    assert_eq!(commands.open(&offer.session_id, &offer.token).await.unwrap_err(), NotOpened::Unreachable);
}
